# SPDX-License-Identifier: GPL-2.0
"""Which lanes die during the main job, and when.

The order is drawn from a seed: most lanes are scattered, and in the middle of the run a
cluster of neighbours goes, as dirt or a dead row driver takes them.  They die evenly over the
job's progress, one after another: the next waits until the link has mended the last few, for
what is watched here is wear, not an accident.
"""

import random

CLUSTER_SHARE = 5       # one lane in so many dies in the cluster
OUTSTANDING = 2         # dead lanes still in the map; stays well below the link's margin
LAST_KILL = 0.9         # of the job's progress: the rest shows the worn link at work
PATIENCE = 5.0          # seconds that a lane may wait for the mending of those before


def plan(lanes, count, seed):
    """`count` lane numbers in the order of their death, and the set of those in the cluster.

    `lanes` is [(number, x, y), ...] of one direction."""
    if count >= len(lanes):
        raise ValueError('only %d lanes can die, one has to live' % (len(lanes) - 1))
    rng = random.Random(seed)
    size = count // CLUSTER_SHARE
    _, cx, cy = rng.choice(lanes)
    near = sorted(lanes, key=lambda l: ((l[1] - cx) ** 2 + (l[2] - cy) ** 2, l[0]))
    cluster = [number for number, _, _ in near[:size]]
    others = [number for number, _, _ in lanes if number not in set(cluster)]
    scattered = rng.sample(others, count - size)
    middle = len(scattered) // 2
    return scattered[:middle] + cluster + scattered[middle:], set(cluster)


class Killer:
    """Decides when the next lane dies; kill(lane) does it."""

    def __init__(self, order, kill):
        self.order = order
        self.done = []      # (progress, lane)
        self._kill = kill
        self._last = None

    def due(self, progress):
        """How many lanes should be dead at this progress (0..1)."""
        if not self.order:
            return 0
        return min(len(self.order), int(progress / LAST_KILL * len(self.order) + 0.5))

    def tick(self, progress, unmended, now):
        """Kill what is due.  `unmended` is how many dead lanes the link still uses."""
        while len(self.done) < self.due(progress):
            if unmended >= OUTSTANDING and now - self._last < PATIENCE:
                return
            lane = self.order[len(self.done)]
            self._kill(lane)
            self.done.append((progress, lane))
            self._last = now
            unmended += 1
