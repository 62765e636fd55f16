/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Viterbi's algorithm over a grid of rates; see segment.h. */
#include "segment.h"

void vh_segment_begin(VhSegmenter *s)
{
    s->nr = 0;
    s->score = (VhLikelihood){ 0 };
}

void vh_segment_push(VhSegmenter *s, const VhLikelihood *l, float penalty)
{
    VhStep *step = &s->steps[s->nr];
    float change = -penalty; /* the best score is kept at 0 */
    uint32_t changed = 0;
    float max;

    for (unsigned g = 0; g < VH_RATES; g++) {
        if (s->nr && s->score.of[g] < change) {
            s->score.of[g] = change;
            changed |= 1u << g;
        }
        s->score.of[g] += l->of[g];
    }
    step->changed = changed;
    step->best = vh_likelihood_best(&s->score);
    max = s->score.of[step->best];
    for (unsigned g = 0; g < VH_RATES; g++) {
        s->score.of[g] -= max;
    }
    s->nr++;
}

unsigned vh_segment_pop(VhSegmenter *s, unsigned rate, bool last)
{
    const VhStep *step = &s->steps[--s->nr];

    if (last) {
        return step->best;
    }
    /* did the one after it, which is of @rate, get there by a change? */
    return step[1].changed & 1u << rate ? step->best : rate;
}
