"""What a network observes: features scaled by means and standard deviations that travel with it, float32, in lanes."""

import numpy as np

from fastexec.kernels import fields as f
from fastexec.kernels._jit import LANES, stage
from fastexec.kernels.layers import padded
from fastexec.kernels.observe import observe_feature

#: Columns of ``scales``.
MEAN, SD = 0, 1


@stage
def observe_scaled(clock, features, scales, sees, p, m, b, x):
    """(value - mean) / sd of each feature into ``x`` float32[feature * LANES + i], and 0 into the units that fill up the last
    four. ``features``: rows as of ``Strategies.features``, ``scales``: (mean, sd) of each.
    """
    for j in range(features.shape[0]):
        observe_feature(clock, features[j], sees, p, m, b)
        scale(scales[j, MEAN], scales[j, SD], b, x[j * LANES : (j + 1) * LANES])
    for i in range(features.shape[0] * LANES, padded(features.shape[0]) * LANES):
        x[i] = np.float32(0.0)


@stage
def scale(mean, sd, b, x):
    """The value of a feature, in units of its standard deviation from its mean."""
    for i in range(LANES):
        x[i] = np.float32((b[f.VALUE + i] - mean) / sd)
