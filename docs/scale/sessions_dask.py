"""Cuts the events of each user into sessions, on a cluster of Dask.

    python3 sessions_dask.py "events/*.csv" sessions            # a scheduler and two workers on this machine
    python3 sessions_dask.py "events/*.csv" sessions tcp://scheduler:8786   # this was not run

Reads parts with the columns user_id, item_id, timestamp (seconds) and event; writes parts with session_id besides, as Parquet
where pyarrow is installed, else as CSV.gz. A session ends when its user pauses for more than 30 minutes.
"""
import importlib.util
import sys

import dask
import dask.dataframe as dd
from distributed import Client, LocalCluster

GAP = 30 * 60  # seconds


def cut(events):
    """All events of some users. Equal times keep the order of the files, as in Aisle."""
    events = events.sort_values(["user_id", "timestamp", "part", "row"], kind="stable")
    seconds = events.groupby("user_id")["timestamp"].diff()
    number = (~(seconds <= GAP)).groupby(events["user_id"]).cumsum()  # a user's first event has no pause before it
    events["session_id"] = events["user_id"] + ":" + number.astype(str)
    return events[["session_id", "item_id", "timestamp", "user_id", "event"]]


def numbered(part, partition_info=None):
    """Adds each event's place in the files, which a shuffle does not keep."""
    return part.assign(part=partition_info["number"] if partition_info else 0, row=range(len(part)))


def main(parts, out, scheduler=None):
    # Plain strings, also without pyarrow; ids stay text, byte for byte.
    dask.config.set({"dataframe.convert-string": False})
    with Client(scheduler or LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)) as client:
        print(f"{len(client.scheduler_info()['workers'])} workers", file=sys.stderr)
        types = {"user_id": str, "item_id": str, "timestamp": float, "event": str}
        events = dd.read_csv(parts, dtype=types, usecols=list(types), keep_default_na=False)
        events = events.map_partitions(numbered, meta=numbered(events._meta))
        events = events.shuffle("user_id", shuffle_method="tasks")  # every event of a user in one part
        sessions = events.map_partitions(cut, meta=cut(events._meta))
        if importlib.util.find_spec("pyarrow"):
            sessions.to_parquet(out, write_index=False)  # this was not run
        else:
            sessions.to_csv(f"{out}/part-*.csv.gz", index=False, compression="gzip")
    print(f"Written to {out}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
