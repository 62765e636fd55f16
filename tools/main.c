/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <signal.h>

#include "cli.h"

#define VM "socket connect timeout "
#define LOOK "json color no-color "
#define FILTERS \
    "start end min-nr-accesses size rate age idle limit sort reverse "
#define STYLES "style raw weights "
#define TUNE                                                              \
    "sampling-interval aggregation-interval update-interval min-regions " \
    "max-regions traps-per-second overhead-budget sample aggr updr minr maxr "

#define REPORT "input from to raw json color no-color "
#define WHICH "start end min-nr-accesses size rate age idle "

static const VhVerb verbs[] = {
    { "status", "Show what the monitor does, with what, and at what cost.",
      VM LOOK, VH_TARGET_VM, vh_cmd_status,
      "vmheat status -s /run/vm.qmp\n"
      "vmheat status guest" },
    { "snapshot", "List the regions of the latest snapshot.",
      VM LOOK FILTERS STYLES, VH_TARGET_VM, vh_cmd_snapshot,
      "vmheat snapshot guest --sort heat --limit 20" },
    { "top", "Show the heat of guest memory, again and again.",
      VM LOOK "delay iterations once all sockets sort", VH_TARGET_VM,
      vh_cmd_top,
      "vmheat top guest -d 2\n"
      "vmheat top --all" },
    { "record", "Write snapshots to a file, for reports and for damo.",
      VM "output duration interval format append force quiet", VH_TARGET_VM,
      vh_cmd_record,
      "vmheat record guest --duration 10m\n"
      "vmheat record -s /run/vm.qmp -o night.vmheat --append" },
    { "convert", "Make a record for damo of one of vmheat.",
      "input output from to force", VH_TARGET_NONE, vh_cmd_convert,
      "vmheat convert -i night.vmheat -o damon.data" },
    { "report access", "Show snapshots of a record or of a virtual machine.",
      "input " VM LOOK FILTERS STYLES "snapshot from to", VH_TARGET_MAYBE_VM,
      vh_cmd_report_access,
      "vmheat report access --style boxes\n"
      "vmheat report access -i guest.data --snapshot all --idle 1m-\n"
      "vmheat report access guest --style recency-percentiles" },
    { "report heatmap", "Draw which memory was how hot, and when.",
      "input output force from to start end width height raw " LOOK,
      VH_TARGET_NONE, vh_cmd_report_heatmap,
      "vmheat report heatmap\n"
      "vmheat report heatmap -i night.vmheat -o heat.png" },
    { "report wss", "Show how large the working set was, and when.",
      REPORT WHICH "within percentiles sort plot output force", VH_TARGET_NONE,
      vh_cmd_report_wss,
      "vmheat report wss -i guest.data\n"
      "vmheat report wss --within 1s,10s,1m --percentiles 50,99\n"
      "vmheat report wss -o wss.png" },
    { "report times", "Show when there was memory of a pattern, and how much.",
      REPORT WHICH "min-size limit", VH_TARGET_NONE, vh_cmd_report_times,
      "vmheat report times --idle 2m- --min-size 1G\n"
      "vmheat report times -i guest.data --rate 100-" },
    { "report profile", "Show how much memory, and which, was how hot.",
      REPORT WHICH "limit", VH_TARGET_NONE, vh_cmd_report_profile,
      "vmheat report profile -i guest.data\n"
      "vmheat report profile --start 4G --limit 20" },
    { "report schemes", "Show what schemes did in the time of a record, or do.",
      VM REPORT "limit", VH_TARGET_MAYBE_VM, vh_cmd_report_schemes,
      "vmheat report schemes -i guest.data\n"
      "vmheat report schemes guest" },
    { "schemes", "Show, set, remove schemes: memory like this, do that to it.",
      VM LOOK "tried actions export set clear apply add dry-run", VH_TARGET_VM,
      vh_cmd_schemes,
      "vmheat schemes guest\n"
      "vmheat schemes guest --apply reclaim --min-age 2m" },
    { "tune", "Show or change monitoring attributes, all at once or none.",
      VM LOOK TUNE, VH_TARGET_VM, vh_cmd_tune,
      "vmheat tune guest\n"
      "vmheat tune guest --sampling-interval 5ms --max-regions 500\n"
      "vmheat tune guest --overhead-budget 2%" },
    { "pause", "Stop monitoring; the latest snapshot stays.", VM "json",
      VH_TARGET_VM, vh_cmd_pause, "vmheat pause guest" },
    { "resume", "Go on after pause.", VM "json", VH_TARGET_VM, vh_cmd_resume,
      "vmheat resume guest" },
    { "libvirt enable", "Give a domain of libvirt vmheat, for good.",
      "connect timeout color no-color primitive property schemes plugin yes "
      "dry-run",
      VH_TARGET_DOMAIN, vh_cmd_libvirt_enable,
      "vmheat libvirt enable guest\n"
      "vmheat libvirt enable guest --schemes reclaim --min-age 2m\n"
      "vmheat libvirt enable guest --property overhead-budget=100" },
    { "libvirt disable", "Take vmheat out of a domain of libvirt.",
      "connect timeout color no-color yes dry-run", VH_TARGET_DOMAIN,
      vh_cmd_libvirt_disable, "vmheat libvirt disable guest" },
    { "libvirt show", "Show what a domain has of vmheat, what it lacks.",
      "connect timeout color no-color", VH_TARGET_DOMAIN, vh_cmd_libvirt_show,
      "vmheat libvirt show guest" },
    { "doctor", "Try what this host can do and say which primitives can run.",
      VM LOOK "programs", VH_TARGET_MAYBE_VM, vh_cmd_doctor,
      "vmheat doctor\n"
      "vmheat doctor -s /run/vm.qmp" },
    { "grant", "Hand QEMU files only root may open, for more primitives.",
      VM "color no-color pid damon no-idle-page damon-cpu "
         "background revoke page-idle damon-root damon-owner",
      VH_TARGET_VM, vh_cmd_grant,
      "vmheat grant guest\n"
      "vmheat grant -s /run/vm.qmp --damon" },
    {},
};

int main(int argc, char **argv)
{
    VhOptions options;
    const VhVerb *verb;
    VhTerm term;
    int exit_code;

    /* so a file that is too large is an error that is told (ulimit -f) */
    signal(SIGXFSZ, SIG_IGN);
    setlocale(LC_CTYPE, ""); /* not numbers: output is for programs too */
    verb = vh_options_parse(verbs, argc, argv, &options, &exit_code);
    if (verb) {
        vh_term_init(&term, options.color);
        exit_code = verb->run(&options, &term);
    }
    vh_options_clear(&options);
    return exit_code;
}
