/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All estimators. A new one is a file and a line here. */
#include <string.h>

#include "estimators.h"

static const VhEstimatorOps *const estimators[] = {
    &vh_estimator_exposure,
    &vh_estimator_classic,
    NULL,
};

const VhEstimatorOps *const *vh_estimators(void)
{
    return estimators;
}

const VhEstimatorOps *vh_estimator_find(const char *name)
{
    for (size_t i = 0; estimators[i]; i++) {
        if (!strcmp(estimators[i]->name, name)) {
            return estimators[i];
        }
    }
    return NULL;
}
