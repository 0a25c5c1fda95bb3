# SPDX-License-Identifier: GPL-2.0
"""The figures of a main job, from its events and counters: run.json and the closing lines."""

import re

# What the guest says after rmmod -> the figure's name.
LEFT_OVER = {'pinned pages': 'pages_left', 'DMA mappings of card 0': 'dma_mappings_left'}


def figures(job, samples, killed, setup_seconds, job_seconds):
    """The flat dictionary of run.json."""
    first, last = samples[0], samples[-1]
    line_bits = last.total('line_bits') - first.total('line_bits')
    payload_bits = 8 * (last.total('payload_bytes') - first.total('payload_bytes'))
    return {
        'bytes_verified': job.sum('verified'),
        'bytes_wrong': job.sum('wrong'),
        'bytes_moved': job.sum('moved'),
        'transfers_lost': job.sum('lost'),
        'lanes_killed': killed,
        'remaps': last.total('remaps_rx') - first.total('remaps_rx'),
        'link_downs': last.total('link_downs') - first.total('link_downs'),
        'frames_replayed': last.total('frames_replayed') - first.total('frames_replayed'),
        'margin_min': last.margin_min(),
        'width_start': first.width,
        'width_end': last.width,
        'rate_start_mbps': first.rate_mbps,
        'rate_end_mbps': last.rate_mbps,
        'link_efficiency': round(payload_bits / line_bits, 4) if line_bits else 0.0,
        'setup_s': round(setup_seconds, 1),
        'job_s': round(job_seconds, 1),
    }


def left_over(text):
    """What the module left behind, out of the guest's words: {name: count}."""
    found = {}
    for what, before, after in re.findall(r'^(.*): (\d+) before, (\d+) after$', text, re.M):
        if what in LEFT_OVER:
            found[LEFT_OVER[what]] = int(after) - int(before)
    return found


def size(count):
    """Bytes for people."""
    for unit in ('B', 'KiB', 'MiB', 'GiB'):
        if count < 1024 or unit == 'GiB':
            return ('%d %s' if unit == 'B' else '%.1f %s') % (count, unit)
        count /= 1024


def lines(fig, nics):
    """The closing lines."""
    rate = fig['rate_end_mbps'] / fig['rate_start_mbps'] if fig['rate_start_mbps'] else 0
    width = fig['width_end'] / fig['width_start'] if fig['width_start'] else 0
    return [
        'cards              %d' % nics,
        'moved              %s in %.1f s' % (size(fig['bytes_moved']), fig['job_s']),
        'verified           %s, bit by bit; %d bytes wrong' % (size(fig['bytes_verified']),
                                                               fig['bytes_wrong']),
        'transfers lost     %d' % fig['transfers_lost'],
        'lanes killed       %d, %d remaps, %d link downs, %d frames replayed'
        % (fig['lanes_killed'], fig['remaps'], fig['link_downs'], fig['frames_replayed']),
        'margin             %d lanes at the least' % fig['margin_min'],
        'width              %d -> %d lanes (%.1f %%)' % (fig['width_start'], fig['width_end'],
                                                         100 * width),
        'simulated rate     %.1f -> %.1f Gb/s (%.1f %%)' % (fig['rate_start_mbps'] / 1000,
                                                            fig['rate_end_mbps'] / 1000,
                                                            100 * rate),
        'link efficiency    %.1f %% of the line carried payload'
        % (100 * fig['link_efficiency']),
    ] + _left_line(fig)


def _left_line(fig):
    words = [text % fig[key] for key, text in (('pages_left', '%d pinned pages'),
                                               ('dma_mappings_left', '%d DMA mappings'))
             if key in fig]
    return ['left after rmmod   ' + ', '.join(words)] if words else []
