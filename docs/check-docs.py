#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare the documentation with the sources it describes.

usage: check-docs.py names|defaults|generators|schemes|verbs|exporter|write-metrics|man|links

names     every property, command and event is in vmheat-qemu(7), and the page
          lists none that does not exist
defaults  defaults and ranges in vmheat-qemu(7) are those of the headers
generators
          the schema is documented so that all supported QEMU's QAPI takes it
schemes   docs/user/schemes.md has every member and value of schemes, with its
          default
verbs     each verb of the command (VMHEAT_CLI names it) has a manual page, with
          just the options that its --help shows; vmheat(1) lists all verbs
exporter  vmheat-exporter(1) has just the options of --help, and
          docs/user/exporter.md the metrics of --metrics-table (VMHEAT_EXPORTER
          names the program); write-metrics puts them there
man       the manual pages have no markup errors
links     relative links of all markdown files resolve, and MAINTAINERS names
          every top folder
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "golden"))
import cli_verbs  # pylint: disable=wrong-import-position
SKIP = 77
PAGE = "docs/man/vmheat-qemu.7"


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def page():
    """The page without roff escapes of hyphens and empty characters."""
    return read(PAGE).replace("\\-", "-").replace("\\&", "")


def properties_in_source():
    source = read("hw/vmheat.c")
    table = source.split("vmheat_properties[]")[1].split("END_OF_LIST")[0]
    found = re.findall(r'(?:PROP_U64|PROP_U32|DEFINE_PROP_\w+)\(\s*"([^"]+)"',
                       table)
    return {"id"} | {n for n in found if not n.startswith("x-")}


def properties_in_page():
    """Property name -> text of its entry."""
    section = page().split(".SH PROPERTIES")[1].split("\n.SH ")[0]
    parts = re.split(r"\n\.TP\n\.BI ([a-z-]+)=.*\n", section)
    return dict(zip(parts[1::2], parts[2::2]))


def check_names():
    problems = []
    want, have = properties_in_source(), set(properties_in_page())
    problems += [f"property '{n}' is not in {PAGE}" for n in want - have]
    problems += [f"{PAGE} has property '{n}', hw/vmheat.c has not"
                 for n in have - want]
    schema = read("qapi/vmheat.json")
    for kind in ("command", "event"):
        names = set(re.findall(r"\{ '%s': '([^']+)'" % kind, schema))
        if not names:
            problems.append(f"qapi/vmheat.json has no {kind}: parser broken?")
        title = f"QMP {kind.upper()}S"
        section = page().split(f".SH {title}\n")[1].split("\n.SH ")[0]
        listed = set(re.findall(r"\.TP\n\.B (\S+)", section))
        problems += [f"{kind} '{n}' is not in {PAGE}, section {title}"
                     for n in names - listed]
        problems += [f"{PAGE} lists {kind} '{n}', which does not exist"
                     for n in listed - names]
    return problems


def check_generators():
    """What QAPI's generators of QEMU 7.2 and 10.0 do not both take.

    A build only tries one of them.
    """
    schema = read("qapi/vmheat.json")
    problems = [f"qapi/vmheat.json: QEMU 10.0 refuses '{line}'" for line in
                re.findall(r"^# (?:Notes?|Examples?):(?!:).*", schema, re.M)]
    for comment, entity in re.findall(
            r"^##\n((?:#.*\n)*?)##\n(\{(?:.+\n)+)", schema, re.M):
        name = entity.split("'")[3]
        found = re.search(r"^# (?:Returns|Since):(?:.*\n)*?"
                          r"# (?! |Returns:|Since:)(.*)", comment, re.M)
        if found:
            problems.append(f"qapi/vmheat.json: QEMU 7.2 refuses, of {name}, "
                            f"'{found[1]}' behind Returns or Since")
        if "\n# Returns:" in comment and "'returns'" not in entity:
            problems.append("qapi/vmheat.json: QEMU 10.0 refuses Returns of "
                            f"{name}, which returns nothing")
    return problems


SCHEMES = "docs/user/schemes.md"


def scheme_entities():
    """Name -> (comment, members or values) of all that is about schemes."""
    schema = read("qapi/vmheat.json")
    part = schema[schema.index("# @VmheatAction:"):
                  schema.index("# @query-vmheat-schemes:")]
    found = re.findall(r"^# @(\w+):\n((?:#.*\n)*)(\{[^#]*\})\n", part, re.M)
    return {name: (" ".join(re.sub(r"^#", "", comment, flags=re.M).split()),
                   [m.lstrip("*") for m in ast.literal_eval(body)["data"]])
            for name, comment, body in found}


def scheme_defaults(comment):
    """(member, default) of those that have a number as default."""
    for part in comment.split(" @")[1:]:
        m = re.match(r"([a-z-]+): .*default (\d+)", part)
        if m:
            yield m.groups()


def check_schemes():
    guide = read(SCHEMES)
    entities = scheme_entities()
    problems = []
    if ("refault", "100") not in scheme_defaults(entities["VmheatBackOff"][0]):
        return ["qapi/vmheat.json: parser broken?"]
    for entity, (comment, members) in entities.items():
        problems += [f"{SCHEMES} has no {name} of {entity}"
                     for name in members
                     if not re.search(rf'[`"]{name}[`"]', guide)]
        # in a row of a table, or as "`name` ... default N"
        problems += [f"{SCHEMES}: {name} of {entity} is not said to be "
                     f"{default} by default"
                     for name, default in scheme_defaults(comment)
                     if not re.search(rf"^\| `{name}` \|.*\| {default} \||"
                                      rf"`{name}`[^`]*default {default}\b",
                                      guide, re.M)]
    return problems


def define(header, name):
    m = re.search(rf"#define {name} (\d+)", header)
    if not m:
        raise SystemExit(f"no {name} in the headers: parser broken?")
    return int(m.group(1))


def expected():
    """Property -> (default, lower bound or name, upper bound or name)."""
    types = read("include/vmheat/types.h")
    limits = read("include/vmheat/limits.h")
    default = {k: v for k, v in re.findall(
        r"\.(\w+) = (\d+)", types.split("VH_ATTRS_DEFAULT")[2])}
    longest = define(types, "VH_INTERVAL_US_MAX")
    fewest = define(types, "VH_MIN_REGIONS_MIN")
    return {
        "sampling-interval": (default["sampling_us"], define(
            types, "VH_SAMPLING_US_MIN"), longest),
        "aggregation-interval": (default["aggregation_us"],
                                 "sampling-interval", longest),
        "update-interval": (default["update_us"],
                            "aggregation-interval", longest),
        "min-regions": (default["min_regions"], fewest, "max-regions"),
        "max-regions": (default["max_regions"], fewest,
                        define(types, "VH_MAX_REGIONS_MAX")),
        "traps-per-second": (0, 0, define(limits, "VH_TRAPS_MAX")),
        "overhead-budget": (define(limits, "VH_BUDGET_BP_DEFAULT"), 1,
                            define(limits, "VH_BUDGET_BP_MAX")),
    }


def check_defaults():
    problems = []
    entries = properties_in_page()
    for name, (default, low, high) in expected().items():
        text = entries.get(name, "")
        for want in (rf"^Default: {default}\b",
                     rf"^Range: {low} \.\. {high}\b"):
            if not re.search(want, text, re.M):
                problems.append(f"{PAGE}, {name}: there is no "
                                f"'{want[1:-2]}'".replace("\\", ""))
    limits = read("include/vmheat/limits.h")
    traps = entries.get("traps-per-second", "")
    for name in ("VH_TRAPS_NESTED", "VH_TRAPS_BARE"):
        value = define(limits, name)
        if not re.search(rf"\b{value}\b", traps):
            problems.append(f"{PAGE}, traps-per-second: no {value} ({name})")
    return problems


def linked(name):
    """The page that one of docs/man only links to, or None."""
    m = re.fullmatch(r"(?:\.\\\".*\n)*\.so man\d/(\S+)\n",
                     read("docs", "man", name))
    return m and m.group(1)


def section(text, title):
    found = text.split(f"\n.SH {title}\n")
    return found[1].split("\n.SH ")[0] if len(found) > 1 else ""


def options_in(text):
    """Those that have an entry in this section."""
    entries = re.findall(r"^\.T[PQ]\n(\.B.? .*)", text, re.M)
    return {o for e in entries for o in re.findall(r"--([a-z][\w-]*)", e)}


def verbs_of_pages(cli, problems):
    """Page -> verbs it is for."""
    out = {}
    for verb in cli_verbs.verbs(cli):
        page_file = cli_verbs.page_name(verb) + ".1"
        if not os.path.exists(os.path.join(ROOT, "docs", "man", page_file)):
            problems.append(
                f"verb '{verb}' has no manual page: write docs/man/{page_file}"
                ", or one line '.so man1/PAGE.1' there when another page has it")
            continue
        out.setdefault(linked(page_file) or page_file, []).append(verb)
    return out


def verb_problems(cli, verb, name, text):
    """What a page does not tell of a verb."""
    have = options_in(section(text, "OPTIONS"))
    problems = [f"docs/man/{name}, OPTIONS: no --{o}, which 'vmheat {verb} "
                "--help' shows"
                for o in cli_verbs.options(cli, verb) if o not in have]
    have = options_in(section(text, "RECIPES"))
    problems += [f"docs/man/{name}, RECIPES: no --{o}"
                 for o in cli_verbs.recipe_options(cli, verb) if o not in have]
    if not re.search(rf"vmheat {verb}\b", section(text, "SYNOPSIS")):
        problems.append(f"docs/man/{name}, SYNOPSIS: no 'vmheat {verb}'")
    return problems


def check_verbs():
    cli = os.environ.get("VMHEAT_CLI")
    if not cli:
        raise SystemExit("VMHEAT_CLI is not set")
    problems = []
    overview = section(unescaped("vmheat.1"), "VERBS")
    for verb in cli_verbs.verbs(cli):
        if not re.search(rf"^\.B[RI]? .*(?<![\w-]){verb}(?![\w-])", overview,
                         re.M):
            problems.append(f"docs/man/vmheat.1, VERBS: no '{verb}'")
    for name, verbs in verbs_of_pages(cli, problems).items():
        text = unescaped(name)
        shown = {o for v in verbs for o in cli_verbs.options(cli, v)}
        for verb in verbs:
            problems += verb_problems(cli, verb, name, text)
        problems += [f"docs/man/{name}, OPTIONS: --{o}, which 'vmheat "
                     f"{verbs[0]} --help' does not show"
                     for o in options_in(section(text, "OPTIONS")) - shown]
    return problems


EXPORTER_PAGE = os.path.join("docs", "user", "exporter.md")
METRICS = re.compile(r"(<!-- begin of metrics.*?-->\n).*?(<!-- end of metrics)",
                     re.S)


def ask_exporter(option):
    program = os.environ.get("VMHEAT_EXPORTER")
    if not program:
        raise SystemExit("VMHEAT_EXPORTER is not set")
    return subprocess.run([program, option], capture_output=True, text=True,
                          check=True).stdout


def metric_rows():
    """The table of metrics as it has to be in the page."""
    base = {"domain", "uuid", "node", "scheme", "action"}
    rows = ["| metric | type | labels | |", "|---|---|---|---|"]
    for m in json.loads(ask_exporter("--metrics-table")):
        labels = ", ".join(f"`{x}`" for x in m["labels"] if x not in base)
        rows.append(f"| `{m['name']}` | {m['type']} | {labels} | {m['help']} |")
    return "\n".join(rows) + "\n"


def with_metrics():
    return METRICS.sub(lambda m: m[1] + metric_rows() + m[2],
                       read(EXPORTER_PAGE))


def write_metrics():
    text = with_metrics()
    with open(os.path.join(ROOT, EXPORTER_PAGE), "w", encoding="utf-8") as f:
        f.write(text)
    return []


def check_exporter():
    have = options_in(section(unescaped("vmheat-exporter.1"), "OPTIONS"))
    shown = set(re.findall(r"(?m)^ .*?--([a-z][\w-]*)", ask_exporter("--help")))
    problems = [f"docs/man/vmheat-exporter.1, OPTIONS: no --{o}"
                for o in sorted(shown - have)]
    problems += [f"docs/man/vmheat-exporter.1, OPTIONS: --{o}, which --help "
                 "does not show" for o in sorted(have - shown)]
    if with_metrics() != read(EXPORTER_PAGE):
        problems.append(f"{EXPORTER_PAGE}: the metrics are not those of "
                        "--metrics-table; VMHEAT_EXPORTER=build/vmheat-exporter "
                        "docs/check-docs.py write-metrics puts them there")
    return problems


def unescaped(name):
    """A page without roff escapes of hyphens, fonts and empty characters."""
    return re.sub(r"\\f[BIR]|\\&", "",
                  read("docs", "man", name).replace("\\-", "-"))


def lint(name):
    """What groff has to say of a page."""
    run = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z",
         os.path.join(ROOT, "docs", "man", name)],
        capture_output=True, text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "",
             "MANWIDTH": "80"}, check=False)
    return run.stderr.strip() or (run.returncode and "man failed")


def check_man():
    if not shutil.which("man") or not shutil.which("groff"):
        print("SKIP: man or groff is not installed (package man-db)")
        sys.exit(SKIP)
    problems = []
    pages = sorted(os.listdir(os.path.join(ROOT, "docs", "man")))
    for name in pages:
        target = linked(name)
        if target:
            problems += [f"docs/man/{name}: link to {target}, which does not "
                         "exist"] if target not in pages else []
            continue
        text = unescaped(name)
        title, number = name.rsplit(".", 1)
        if f"\n.TH {title.upper()} {number} " not in text:
            problems.append(f"docs/man/{name}: .TH has another name")
        problems += [f"docs/man/{name}: refers to {ref}({n}), which does not "
                     "exist"
                     for ref, n in re.findall(r"(vmheat[\w-]*)\"? \((\d)\)", text)
                     if f"{ref}.{n}" not in pages]
        found = lint(name)
        if found:
            problems.append(f"docs/man/{name}: {found}")
    if not pages:
        problems.append("docs/man is empty")
    return problems


def markdown_files():
    for folder, dirs, names in os.walk(ROOT):
        dirs[:] = [d for d in dirs
                   if not d.startswith((".", "build", "node_modules"))]
        yield from (os.path.join(folder, n) for n in names
                    if n.endswith(".md"))


def check_links():
    problems = []
    for path in markdown_files():
        with open(path, encoding="utf-8") as f:
            text = f.read()
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:|#", target):
                continue
            file = os.path.join(os.path.dirname(path), target.split("#")[0])
            if not os.path.exists(file):
                problems.append(f"{os.path.relpath(path, ROOT)}: link to "
                                f"'{target}', which does not exist")
    maintained = re.findall(r"^F: (\S+)", read("MAINTAINERS"), re.M)
    for name in maintained:
        if not os.path.exists(os.path.join(ROOT, name)):
            problems.append(f"MAINTAINERS: '{name}' does not exist")
    tops = {n.split("/")[0] for n in maintained}
    for name in sorted(os.listdir(ROOT)):
        path = os.path.join(ROOT, name)
        # what is built may be in a folder of any name: debhelper has its own
        if os.path.isdir(path) and name not in tops and \
                not os.path.isdir(os.path.join(path, "meson-private")) and \
                not name.startswith((".", "build", "__")):
            problems.append(f"MAINTAINERS: nobody maintains {name}/")
    return problems


CHECKS = {"names": check_names, "defaults": check_defaults,
          "generators": check_generators, "schemes": check_schemes,
          "verbs": check_verbs, "exporter": check_exporter,
          "write-metrics": write_metrics, "man": check_man, "links": check_links}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        sys.exit(__doc__)
    problems = CHECKS[sys.argv[1]]()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
