# SPDX-License-Identifier: GPL-2.0-or-later
"""damon: the host kernel's DAMON reads the accessed bits of the NPT."""

import lab

KERNELS = ("cloud",)


class Damon(lab.SeesAll, lab.Granted, lab.Primitive):
    primitive = "damon"
    grant = ("--damon",)
