"""Trains GRU4Rec or SASRec with PyTorch's DistributedDataParallel, for `aisle import`.

    torchrun --nproc-per-node 2 train_ddp.py --model gru4rec --data parts/train.tsv.gz --out weights

Writes weights.safetensors, config.json and items.json for `aisle import`, and top20.json: what PyTorch recommends after some sessions.
Every process walks the same batches and computes its share of the rows, so that all together they compute what one process would
compute of the whole batch. They communicate by gloo, or, with a GPU each, by nccl.
"""
import argparse
import json
import math
import os
from itertools import islice

import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.nn.parallel import DistributedDataParallel


class GRU4Rec(nn.Module):
    """One layer whose input table is the output table, without dropout. Names as in the official PyTorch code."""

    def __init__(self, items, o):
        super().__init__()
        self.G = nn.ModuleList([nn.GRUCell(o.width, o.width)])
        self.Wy, self.By = nn.Embedding(items, o.width), nn.Embedding(items, 1)
        for name, p in self.named_parameters():
            if name.startswith("G.0.bias") or name == "By.weight":
                nn.init.zeros_(p)
            else:  # Glorot, gate by gate
                limit = math.sqrt(6 / ((items if name == "Wy.weight" else o.width) + o.width))
                nn.init.uniform_(p, -limit, limit)
        self.config = {"n_items": items, "layers": [o.width], "loss": "cross-entropy", "constrained_embedding": True,
                       "embedding": 0, "dropout_p_embed": 0, "dropout_p_hidden": 0, "batch_size": o.batch,
                       "learning_rate": o.learning_rate or 0.05, "momentum": 0, "n_sample": o.negatives, "sample_alpha": 0.5,
                       "logq": 0, "n_epochs": o.epochs}
        self.state = torch.zeros(o.batch, o.width, device=o.device)  # of every row, carried from step to step

    def forward(self, rows, fresh, clicks, columns, places):
        """The sum of -log softmax over the columns; the target of the b-th row is in column places[b]."""
        before = self.state[rows].masked_fill(fresh[:, None], 0)
        h = self.G[0](self.Wy(clicks), before)
        self.state[rows] = h.detach()  # no back-propagation through time
        p = torch.softmax(h @ self.Wy(columns).T + self.By(columns).T, 1)
        return -torch.log(p[torch.arange(len(rows), device=p.device), places] + 1e-24).sum()

    def batches(self, log, o, epoch, rank, world):
        """Session-parallel: each row reads one session after the other. The epoch ends when a process has no rows left."""
        items, starts, ends = log
        weights = np.cumsum(np.bincount(items) ** self.config["sample_alpha"])
        draw = np.random.default_rng([o.seed, epoch])  # the same negatives in every process
        at, end = starts[:o.batch].copy(), ends[:o.batch].copy()
        live, fresh, following = np.arange(len(at)), np.ones(len(at), bool), len(at)
        while all((live % world == r).any() for r in range(world)):
            extra = np.searchsorted(weights, draw.random(o.negatives) * weights[-1], side="right")
            own = np.flatnonzero(live % world == rank)  # places among the rows that all processes compute
            rows = live[own]
            columns = np.concatenate([items[at[live] + 1], extra])
            yield [torch.as_tensor(x, device=o.device) for x in (rows, fresh[rows], items[at[rows]], columns, own)], o.batch
            fresh[:] = False
            at[live] += 1
            for row in live[at[live] + 1 == end[live]]:
                if following < len(starts):
                    at[row], end[row], fresh[row] = starts[following], ends[following], True
                    following += 1
                else:
                    live = live[live != row]

    def optimiser(self, parameters):
        """Adagrad as in the official code, with epsilon inside the root."""
        sums = [(p, torch.zeros_like(p)) for p in parameters]

        @torch.no_grad()
        def step():
            for p, total in sums:
                total += p.grad ** 2
                p -= self.config["learning_rate"] * p.grad / torch.sqrt(total + 1e-6)
        return step

    def scores(self, session):
        h = None
        for item in session:
            h = self.G[0](self.Wy(item[None]), h)
        return (h @ self.Wy.weight.T + self.By.weight.T)[0]


class SASRec(nn.Module):
    """Pre-norm, with items from 1 and row 0 for padding. Names as in pmixer's PyTorch port."""

    def __init__(self, items, o):
        super().__init__()
        d, blocks = o.width, range(o.blocks)
        self.item_emb = nn.Embedding(items + 1, d, padding_idx=0)
        self.pos_emb = nn.Embedding(o.length + 1, d, padding_idx=0)
        self.attention_layernorms = nn.ModuleList(nn.LayerNorm(d, eps=1e-8) for _ in blocks)
        self.attention_layers = nn.ModuleList(nn.MultiheadAttention(d, o.heads, o.dropout, batch_first=True) for _ in blocks)
        self.forward_layernorms = nn.ModuleList(nn.LayerNorm(d, eps=1e-8) for _ in blocks)
        self.forward_layers = nn.ModuleList(
            nn.ModuleDict({"conv1": nn.Conv1d(d, d, 1), "conv2": nn.Conv1d(d, d, 1)}) for _ in blocks)
        self.last_layernorm = nn.LayerNorm(d, eps=1e-8)
        self.dropout = nn.Dropout(o.dropout)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.xavier_normal_(p)
        with torch.no_grad():
            self.item_emb.weight[0] = self.pos_emb.weight[0] = 0
        self.config = {"item_num": items, "hidden_units": d, "maxlen": o.length, "num_blocks": o.blocks, "num_heads": o.heads,
                       "norm_first": True, "dropout_rate": o.dropout, "batch_size": o.batch, "lr": o.learning_rate or 0.001,
                       "num_epochs": o.epochs}

    def vectors(self, sessions):
        """[B, L] -> [B, L, d]. Padding takes part as a key, as in the port."""
        length = sessions.shape[1]
        places = torch.arange(1, length + 1, device=sessions.device) * (sessions != 0)
        x = self.dropout(self.item_emb(sessions) * math.sqrt(self.item_emb.embedding_dim) + self.pos_emb(places))
        future = torch.ones(length, length, dtype=torch.bool, device=sessions.device).triu(1)
        for b, attention in enumerate(self.attention_layers):
            n = self.attention_layernorms[b](x)
            x = x + attention(n, n, n, attn_mask=future, need_weights=False)[0]
            inner, outer = self.forward_layers[b].values()
            w = self.forward_layernorms[b](x).transpose(1, 2)
            x = x + self.dropout(outer(self.dropout(F.relu(inner(w))))).transpose(1, 2)
        return self.last_layernorm(x)

    def forward(self, sessions, targets):
        """The sum of -log softmax over the catalogue, at every click that another one follows."""
        real = targets != 0
        scores = self.vectors(sessions)[real] @ self.item_emb.weight[1:].T
        return F.cross_entropy(scores, targets[real] - 1, reduction="sum")

    def batches(self, log, o, epoch, rank, world):
        items, starts, ends = log
        order = np.random.default_rng([o.seed, epoch]).permutation(len(starts))  # the same in every process
        for first in range(0, len(order) - world + 1, o.batch):  # every process needs a row
            chosen = order[first:first + o.batch]
            clicks = np.minimum(ends[chosen] - starts[chosen] - 1, o.length)
            padded = np.zeros((2, len(chosen), o.length), int)
            for row, (session, n) in enumerate(zip(chosen, clicks)):
                recent = items[ends[session] - n - 1:ends[session]] + 1
                padded[:, row, -n:] = recent[:-1], recent[1:]
            yield torch.as_tensor(padded[:, rank::world], device=o.device).unbind(), int(clicks.sum())

    def optimiser(self, parameters):
        return torch.optim.Adam(parameters, lr=self.config["lr"], betas=(0.9, 0.98)).step

    def scores(self, session):
        recent = session[-self.config["maxlen"]:] + 1
        return self.vectors(F.pad(recent, (self.config["maxlen"] - len(recent), 0))[None])[0, -1] @ self.item_emb.weight[1:].T


def read(path):
    """Sessions of two events and more, by the time of their first one: items as indices from 0, starts, ends; and the ids."""
    types = {"session_id": str, "item_id": str, "timestamp": float}
    table = pd.read_csv(path, sep="\t" if ".tsv" in path else ",", dtype=types, usecols=list(types), keep_default_na=False)
    sessions = table.groupby("session_id")["timestamp"]
    table = table.assign(first=sessions.transform("min"))[sessions.transform("size") > 1]
    table = table.sort_values(["first", "session_id", "timestamp"], kind="stable")
    items, ids = pd.factorize(table["item_id"])
    starts = np.flatnonzero(table["session_id"] != table["session_id"].shift())
    return (items, starts, np.append(starts[1:], len(table))), list(ids)


def gradients(model, batch, size, world):
    """Loss of this process's rows, their share of the whole batch's; the gradients are the whole batch's, in every process."""
    model.zero_grad()
    loss = model(*batch) / size
    (loss * world).backward()  # DistributedDataParallel takes the mean over processes
    return loss.detach()


def write_step(model, network, update, log, o, rank, world):
    """The third step: weights, the whole batch, loss and gradients."""
    model.eval()  # no dropout
    *before, third = islice(network.batches(log, o, 0, rank, world), 3)
    for batch, size in before:
        gradients(model, batch, size, world)
        update()
    names = ("rows", "fresh", "clicks", "columns", "places") if o.model == "gru4rec" else ("sessions", "targets")
    whole, _ = next(islice(network.batches(log, o, 0, 0, 1), 2, None))
    step = {f"inputs/{name}": value.int() for name, value in zip(names, whole)}
    step |= {f"weights/{name}": value.clone() for name, value in network.state_dict().items()}
    if o.model == "gru4rec":
        step["inputs/state"] = network.state.clone()
        dist.all_reduce(step["inputs/state"])  # each process holds the rows that it computes, and zeros
    loss = gradients(model, *third, world)
    dist.all_reduce(loss)
    step |= {f"grads/{name}": p.grad for name, p in network.named_parameters()}
    if rank == 0:
        save(f"{o.out}/step.safetensors", {**step, "loss/whole": loss.view(1)}, {"config": json.dumps(network.config)})


def save(path, tensors, metadata=None):
    save_file({name: value.contiguous().cpu() for name, value in tensors.items()}, path, metadata)


def write(network, log, ids, o):
    network.eval()
    items, starts, ends = log
    sessions = [torch.as_tensor(items[s:e], device=o.device) for s, e in zip(starts[:5], ends[:5])]
    tops = []
    for session in sessions:
        with torch.no_grad():
            scores = network.scores(session)
        best = torch.argsort(scores, descending=True, stable=True)[:20]  # ties: the lower index first
        top = [{"itemId": ids[i], "score": scores[i].item()} for i in best]
        tops.append({"session": [ids[i] for i in session], "items": top})
    save(f"{o.out}/weights.safetensors", network.state_dict())
    for name, value in (("config", network.config), ("items", ids), ("top20", tops)):
        with open(f"{o.out}/{name}.json", "w", encoding="utf8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="CSV or TSV with session_id, item_id and timestamp in seconds; .gz too")
    p.add_argument("--out", required=True, help="folder to write")
    p.add_argument("--model", choices=["gru4rec", "sasrec"], required=True)
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--batch", type=int, default=64, help="sessions a step, of all processes together")
    p.add_argument("--width", type=int, default=64)
    p.add_argument("--negatives", type=int, default=2048, help="gru4rec: extra negatives a step")
    p.add_argument("--length", type=int, default=50, help="sasrec: clicks that it sees")
    p.add_argument("--blocks", type=int, default=2, help="sasrec")
    p.add_argument("--heads", type=int, default=2, help="sasrec")
    p.add_argument("--dropout", type=float, default=0.2, help="sasrec")
    p.add_argument("--learning-rate", type=float, help="default: 0.05 of Adagrad for gru4rec, 0.001 of Adam for sasrec")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--step", action="store_true", help="write the third step, without dropout, to step.safetensors; train no more")
    o = p.parse_args()
    gpu = torch.cuda.is_available()
    o.device = torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if gpu else "cpu")
    if gpu:
        torch.cuda.set_device(o.device)
    dist.init_process_group("nccl" if gpu else "gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    os.makedirs(o.out, exist_ok=True)
    log, ids = read(o.data)
    if min(o.batch, len(log[1])) < world:
        p.error(f"each of the {world} processes needs a session a step; got --batch {o.batch} and {len(log[1])} sessions")
    if rank == 0:
        print(f"{len(log[0])} events in {len(log[1])} sessions of {len(ids)} items", flush=True)
    torch.manual_seed(o.seed)  # the same weights in every process
    network = (GRU4Rec if o.model == "gru4rec" else SASRec)(len(ids), o).to(o.device)
    torch.manual_seed(o.seed + 1 + rank)  # other dropout in each
    model = DistributedDataParallel(network)
    update = network.optimiser(network.parameters())
    if o.step:
        write_step(model, network, update, log, o, rank, world)
    else:
        for epoch in range(o.epochs):
            total = torch.zeros((), device=o.device)
            for steps, (batch, size) in enumerate(network.batches(log, o, epoch, rank, world), 1):
                total += gradients(model, batch, size, world)
                update()
                if rank == 0 and steps % 100 == 0:
                    print(f"epoch {epoch + 1}, step {steps}", flush=True)
            dist.all_reduce(total)
            if rank == 0:
                print(f"epoch {epoch + 1}: loss {total.item() / steps:.4f} of {steps} steps", flush=True)
        if rank == 0:
            write(network, log, ids, o)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
