# SPDX-License-Identifier: Apache-2.0
"""Optimizer steps and few-shot probes by other programs, for tests/core/training.

Usage: python make_training_fixtures.py [FOLDER]      (default: training/ beside this script)
Needs numpy, torch and safetensors. AdamW and SGD come from torch.optim; Adafactor is written here from its definition
(Shazeer & Stern 2018 with T5X's rules: no momentum, beta2_t = 1 - (t + 1)^-0.8 with t = step - step_offset, update clipped
at RMS 1, relative step max(RMS(w), 1e-3), weight decay not multiplied by the learning rate; the entries of the expert axis
are parameters of their own); the probe follows the few-shot evaluation of V-MoE with an eigendecomposition.
Every optimizer case: "w0" first weights, "gradients" [steps, ...], "weights" [steps, ...] after each step, moments at the end.
"""
import os
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

STEPS = 6
folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "training")
os.makedirs(folder, exist_ok=True)
random = np.random.default_rng(20221209)
tensors = {}


def normal(*shape):
    return random.standard_normal(shape).astype(np.float32)


def put(case, **values):
    for name, value in values.items():
        tensors[f"{case}.{name}"] = np.ascontiguousarray(np.asarray(value, dtype=np.float32))


def torch_case(case, make, moments):
    w0, gradients = normal(5, 7), normal(STEPS, 5, 7)
    gradients[2, 1] = 0
    parameter = torch.nn.Parameter(torch.tensor(w0))
    optimizer = make([parameter])
    weights = []
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        weights.append(parameter.detach().numpy().copy())
    state = optimizer.state[parameter]
    put(case, w0=w0, gradients=gradients, weights=weights, **{ours: state[theirs].numpy() for ours, theirs in moments.items()})


torch_case("adamw", lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.95), eps=1e-6, weight_decay=0.1),
           {"m": "exp_avg", "v": "exp_avg_sq"})
torch_case("adamw_default", lambda p: torch.optim.AdamW(p, lr=0.001, weight_decay=0.0), {"m": "exp_avg", "v": "exp_avg_sq"})
torch_case("sgd", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.02), {"momentum": "momentum_buffer"})
torch_case("nesterov", lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, weight_decay=0.02, nesterov=True),
           {"momentum": "momentum_buffer"})


def adafactor_step(w, gradient, state, t, lr, decay_rate, weight_decay, factored):
    """One parameter in double; `state` is changed; returns the new weight."""
    beta2 = 1.0 - (t + 1.0) ** -decay_rate
    square = gradient.astype(np.float64) ** 2 + 1e-30
    if factored:
        state["row"] = beta2 * state["row"] + (1 - beta2) * square.mean(axis=1)
        state["column"] = beta2 * state["column"] + (1 - beta2) * square.mean(axis=0)
        second = np.outer(state["row"], state["column"]) / state["row"].mean()
    else:
        state["full"] = beta2 * state["full"] + (1 - beta2) * square
        second = state["full"]
    update = gradient / np.sqrt(second)
    update /= max(1.0, np.sqrt(np.mean(update**2)))
    scale = max(np.sqrt(np.mean(w**2)), 1e-3)
    return (1.0 - weight_decay) * w - lr * scale * update


def adafactor_case(case, shape, experts, factored, step0, offset, w_scale=1.0, weight_decay=0.0):
    """`experts` leading entries are parameters of their own."""
    lr = 0.1
    w0, gradients = normal(*shape) * np.float32(w_scale), normal(STEPS, *shape)
    gradients *= np.linspace(0.1, 3.0, STEPS).reshape([STEPS] + [1] * len(shape)).astype(np.float32)
    if experts > 1:  # experts of different size tell whether something was averaged over them
        factor = np.float32(10.0) ** np.arange(experts, dtype=np.float32).reshape([experts] + [1] * (len(shape) - 1))
        w0, gradients = w0 * factor, gradients / factor
    entries = [w.astype(np.float64) for w in (w0 if experts > 1 else w0[None])]
    states = [
        {"row": np.zeros(w.shape[0]), "column": np.zeros(w.shape[-1])} if factored else {"full": np.zeros(w.shape)} for w in entries
    ]
    weights = []
    for i in range(STEPS):
        for e, state in enumerate(states):
            gradient = gradients[i][e] if experts > 1 else gradients[i]
            entries[e] = adafactor_step(entries[e], gradient, state, step0 + i - offset, lr, 0.8, weight_decay, factored)
        weights.append(np.stack(entries).reshape(shape))
    slots = {slot: np.stack([state[slot] for state in states]) for slot in states[0]}
    put(case, w0=w0, gradients=gradients, weights=weights, **slots)


adafactor_case("adafactor_factored", (6, 9), 1, True, 0, 0, weight_decay=0.01)
adafactor_case("adafactor_small", (3, 9), 1, False, 0, 0, w_scale=1e-5)
adafactor_case("adafactor_vector", (9,), 1, False, 0, 0)
adafactor_case("adafactor_experts", (3, 6, 9), 3, True, 0, 0)
adafactor_case("adafactor_expert_bias", (3, 9), 3, False, 0, 0)
adafactor_case("adafactor_offset", (6, 9), 1, True, 1000, 1000)
adafactor_case("adafactor_trap", (6, 9), 1, True, 1000, 0)


def probe(case, shots, classes, width):
    """Accuracy for each l2 = 2^-10 ... 2^19 with the shots in the order of their classes."""
    centres = normal(classes, width)
    labels = np.repeat(np.arange(classes), shots)
    train = centres[labels] + 1.5 * normal(shots * classes, width)
    train[:, 1] *= 0  # a dead feature
    test_labels = random.integers(0, classes, 60)
    test = centres[test_labels] + 1.5 * normal(60, width)
    mean, std = train.astype(np.float64).mean(0), train.astype(np.float64).std(0)

    def features(x):
        return np.concatenate([(x - mean) / (std + 1e-5), np.full((len(x), 1), 100.0)], axis=1)

    x, y = features(train), 2.0 * np.eye(classes)[labels] - 1.0
    dual = len(x) < x.shape[1]
    eigenvalues, q = np.linalg.eigh(x @ x.T if dual else x.T @ x)
    left, right = (x.T @ q, q.T @ y) if dual else (q, q.T @ (x.T @ y))
    accuracies, solutions = [], []
    for power in range(-10, 20):
        w = left @ (right / (eigenvalues + 2.0**power)[:, None])
        solutions.append(w)
        accuracies.append(np.mean((features(test) @ w).argmax(1) == test_labels))
    put(case, train=train, labels=labels, test=test, test_labels=test_labels, accuracies=accuracies,
        w_small=solutions[0], w_middle=solutions[12], w_large=solutions[-1])


probe("probe_primal", 10, 4, 12)
probe("probe_dual", 2, 4, 16)

save_file(tensors, os.path.join(folder, "training.safetensors"))
