# SPDX-License-Identifier: Apache-2.0
"""The models whose training steps are measured: one place for their numbers, their config.json, our job and their FLOPs."""
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Vit:
    image: int
    patch: int
    channels: int
    d: int
    inner: int
    heads: int
    layers: int
    classes: int
    batch: int
    moe: tuple = ()  # the blocks that are MoE, by number
    experts: int = 8
    capacity: float = 2.0

    @property
    def tokens(self):
        return (self.image // self.patch) ** 2 + 1

    def config(self):
        return {"architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": self.d, "intermediate_size": self.inner,
                "num_attention_heads": self.heads, "num_hidden_layers": self.layers, "image_size": self.image, "patch_size": self.patch,
                "num_channels": self.channels, "hidden_act": "gelu", "layer_norm_eps": 1e-6, "qkv_bias": True,
                "id2label": {str(i): f"class {i}" for i in range(self.classes)}, "upcycling": upcycling({f"encoder.{i}": expert_choice(self, True) for i in self.moe})}

    def job(self):
        data = f"synthetic:images={self.image}x{self.image}x{self.channels},classes={self.classes},examples={max(8 * self.batch, 64)}"
        return ["--data", data]

    def flops(self):
        """Products of a training step: 2 per multiply-add, three passes (the patches' gradient of the pixels is not asked for)."""
        mlp = 4 * self.d * self.inner
        token = self.layers * (8 * self.d**2 + 4 * self.tokens * self.d) + (self.layers - len(self.moe)) * mlp
        token += len(self.moe) * (self.capacity * mlp + 2 * self.d * self.experts)
        patches = 2 * self.channels * self.patch**2 * self.d * (self.tokens - 1)
        return self.batch * (3 * self.tokens * token + 2 * patches + 3 * 2 * self.d * self.classes)


@dataclass(frozen=True)
class T5:
    d: int
    inner: int
    heads: int
    layers: int  # of each stack
    inputs: int
    targets: int
    batch: int
    vocab: int = 32128
    head: int = 64
    moe: tuple = ()  # of each stack; encoder: Expert Choice, decoder: Top-2
    experts: int = 8
    capacity: float = 2.0
    buckets: int = 32
    distance: int = 128

    def config(self):
        blocks = {f"encoder.{i}": expert_choice(self, False) for i in self.moe}
        blocks |= {f"decoder.{i}": top_2(self) for i in self.moe}
        return {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "d_model": self.d, "d_ff": self.inner, "d_kv": self.head,
                "num_heads": self.heads, "num_layers": self.layers, "num_decoder_layers": self.layers, "vocab_size": self.vocab,
                "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "dropout_rate": 0.0, "layer_norm_epsilon": 1e-6,
                "relative_attention_num_buckets": self.buckets, "relative_attention_max_distance": self.distance, "pad_token_id": 0,
                "eos_token_id": 1, "decoder_start_token_id": 0, "is_encoder_decoder": True, "upcycling": upcycling(blocks)}

    def job(self):
        return ["--data", f"synthetic:tokens,vocab={self.vocab},inputs={self.inputs},targets={self.targets}", "--objective", "text-to-text",
                "--set", "loss.logit_z=0"]

    def flops(self):
        wide = self.heads * self.head
        mlp = 6 * self.d * self.inner
        mlps = (self.layers - len(self.moe)) * mlp + len(self.moe) * (self.capacity * mlp + 2 * self.d * self.experts)
        encoder = self.layers * (8 * self.d * wide + 4 * self.inputs * wide) + mlps + self.layers * 4 * self.d * wide  # cross-attention's k, v
        decoder = self.layers * (12 * self.d * wide + 4 * (self.targets + self.inputs) * wide) + mlps + 2 * self.d * self.vocab
        return 3 * self.batch * (self.inputs * encoder + self.targets * decoder)


def expert_choice(size, renormalize):
    return {"experts": size.experts, "capacity": size.capacity, "router": "expert-choice", "renormalize": renormalize, "group_size": "batch"}


def top_2(size):
    return {"experts": size.experts, "capacity": size.capacity, "router": "top-k", "renormalize": False, "group_size": "batch", "k": 2,
            "order": "softmax-topk", "dropless": False, "batch_priority": False}


def upcycling(blocks):
    return {"schema": 1, "blocks": blocks} if blocks else None


DEMO = Vit(28, 4, 1, 96, 384, 3, 6, 10, 128, moe=(3, 4, 5))
MODELS = {
    "demo": DEMO,
    "demo-dense": replace(DEMO, moe=()),
    "vit-s": Vit(224, 16, 3, 384, 1536, 6, 4, 1000, 8, moe=(2, 3)),
    "t5": T5(256, 1024, 4, 4, 256, 64, 8, moe=(1, 3)),
    "vit-b-e32": Vit(224, 16, 3, 768, 3072, 12, 12, 1000, 128, moe=tuple(range(6, 12)), experts=32),
    "t5-base-e32": T5(768, 2048, 12, 12, 512, 114, 32, moe=tuple(range(1, 12, 2)), experts=32),
}
CPU_MODELS = ("demo", "vit-s", "t5")
GPU_MODELS = ("vit-b-e32", "t5-base-e32")
