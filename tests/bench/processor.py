"""Processor time of a process and of all that descend from it, finer than clock ticks."""
import os
from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """Fields of /proc/PID/stat from the state on (field 3 is [0]), or None where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def family(pid):
    """PID and its descendants that live now."""
    parents = {}
    for entry in os.listdir("/proc"):
        fields = _stat(entry) if entry.isdigit() else None
        if fields:
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def _on_processor(pid):
    """Seconds that the threads of PID ran, by the scheduler's own count of nanoseconds."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    except OSError:
        return 0
    return total / 1e9


def own(pid):
    """Seconds that PID alone has used."""
    return _on_processor(pid)


def spent(pid):
    """
    Seconds that PID and its descendants have used, those that have ended included (the kernel adds
    them to their parents, in ticks).
    """
    total = 0
    for one in family(pid):
        fields = _stat(one)
        if fields:
            total += _on_processor(one) + (int(fields[13]) + int(fields[14])) * TICK_S
    return total


def memory_peak(pid):
    """The most that PID itself had in memory, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0
