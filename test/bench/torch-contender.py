"""Runs one case of torch_peer.py in turns with ours: answers every line COUNT with the milliseconds of as many steps.

    /usr/bin/python3 torch-contender.py TORCH_PEER CASE

The work is the peer's own; only its timing loop is replaced, so that both sides can alternate within one sitting.
"""
import importlib.util
import json
import sys
import time

import torch

spec = importlib.util.spec_from_file_location("torch_peer", sys.argv[1])
peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peer)


def turns(fn, _runs, _warmup):
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        cpu = time.process_time()
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            fn()
            times.append((time.perf_counter() - start) * 1e3)
        print(json.dumps({"ms": times, "cpu": (time.process_time() - cpu) * 1e3 / len(times)}), flush=True)
    sys.exit()


peer.median = turns
sys.argv = [sys.argv[1], "--threads", "1", "--cases", sys.argv[2]]
peer.main()
