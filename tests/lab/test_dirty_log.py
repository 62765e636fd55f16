# SPDX-License-Identifier: GPL-2.0-or-later
"""dirty-log: KVM's bitmap of pages written, by write protection in the NPT."""

import lab

KERNELS = ("cloud",)


class DirtyLog(lab.SeesWrites, lab.Primitive):
    primitive = "dirty-log"
