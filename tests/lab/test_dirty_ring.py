# SPDX-License-Identifier: GPL-2.0-or-later
"""dirty-ring: as dirty-log, out of the rings KVM has for each vCPU."""

import lab

KERNELS = ("cloud",)


class DirtyRing(lab.SeesWrites, lab.Primitive):
    RESETS = 3
    primitive = "dirty-ring"
    accel = "kvm,dirty-ring-size=4096"
