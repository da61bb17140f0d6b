# SPDX-License-Identifier: Apache-2.0
"""Prints the lengths that tests/core/data/span_corruption_test.cpp expects: T5's random_spans_helper (Raffel et al. 2020, the
preprocessor of the T5 code base), written down here once more for numbers alone.

usage: span_lengths.py
"""


def lengths(tokens, density, mean):
    noise = int(round(tokens * density))
    spans = int(round(noise / mean))
    return tokens - noise + spans + 1, noise + spans + 1


def helper(inputs, density, mean):
    tokens = inputs - 1
    while lengths(tokens + 1, density, mean)[0] <= inputs:
        tokens += 1
    inputs, targets = lengths(tokens, density, mean)
    if density == 0.5 and targets > inputs:
        tokens, targets = tokens - 1, targets - 1
    return tokens, inputs, targets


for inputs, density, mean in [(512, 0.15, 3.0), (128, 0.15, 3.0), (256, 0.15, 3.0), (1024, 0.15, 3.0), (64, 0.15, 3.0), (512, 0.5, 3.0),
                              (512, 0.15, 8.0), (100, 0.3, 2.0), (37, 0.15, 3.0)]:
    print(inputs, density, mean, helper(inputs, density, mean))
