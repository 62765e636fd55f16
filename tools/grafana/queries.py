# SPDX-License-Identifier: GPL-2.0-or-later
"""What board and alerts both ask: one idea of each."""

# The most that each machine needed at once in a day. Looking once a minute is
# enough: what a machine needs is what it accessed in a minute.
PEAK = "max_over_time(vmheat_domain_needs_bytes{%s}[1d:1m])"

# What machines would take if all were as busy as at their busiest of a day.
GROWTH = ("sum by (node) (clamp_min(\n"
          f"    {PEAK}\n    - vmheat_domain_resident_bytes{{%s}}, 0))")

# What they would take if they used all that they may: the balloon, where there
# is one, keeps them from more.
LIMIT = ("(vmheat_domain_balloon_actual_bytes{%s} or "
         "vmheat_domain_size_bytes{%s})")
WORST = (f"sum by (node) (clamp_min({LIMIT} - "
         "vmheat_domain_resident_bytes{%s}, 0))")

AVAILABLE = "max by (node) (vmheat_host_memory_available_bytes{%s})"
TOTAL = "max by (node) (vmheat_host_memory_total_bytes{%s})"


def where(query, matchers=""):
    """The query of machines that these matchers, without braces, choose."""
    return query.replace("%s", matchers).replace("{}", "")


def headroom(matchers="", growth=GROWTH):
    """Bytes of each host. A host without machines has it, too."""
    available = where(AVAILABLE, matchers)
    return (f"{available}\n- (" + where(growth, matchers) +
            f"\n  or {available} * 0)")
