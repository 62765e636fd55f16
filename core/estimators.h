/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estimators that estimators.c lists. */
#ifndef CORE_ESTIMATORS_H
#define CORE_ESTIMATORS_H

#include "vmheat/estimator.h"

extern const VhEstimatorOps vh_estimator_classic, vh_estimator_exposure;

#endif
