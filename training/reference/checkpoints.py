"""Tiny checkpoints as PyTorch, open_clip and transformers save them, with what is in them: tests/golden/checkpoints/."""

import argparse
import collections
import json
import re
import shutil

import torch
from torch import nn

from golden import GOLDEN, write_json, write_versions
from models import LAYOUTS, HuggingFace, OpenClip, Spec, randomise

ROOT = GOLDEN / "checkpoints"
TINY = Spec(
    embed=6,
    image=8,
    patch=4,
    vision_width=8,
    vision_layers=2,
    vision_heads=2,
    text_width=8,
    text_layers=1,
    text_heads=2,
    context=5,
    vocabulary=12,
    quick_gelu=True,
)
SUMS = {}


def describe(state):
    """Per tensor its shape, its sum, and a sum that knows the order of the values."""
    found = {}
    for name, tensor in sorted(state.items()):
        flat = tensor.detach().double().reshape(-1)
        order = torch.arange(flat.numel()) % 97 + 1
        found[name] = [list(tensor.shape), flat.sum().item(), (flat * order).sum().item()]
    return found


def record(path, state, **facts):
    dtypes = collections.Counter(str(tensor.dtype).removeprefix("torch.") for tensor in state.values())
    SUMS[str(path.relative_to(ROOT))] = {"tensors": describe(state), "dtypes": dtypes, **facts}


def save(path, content, state, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path, **options)
    record(path, state, format="pytorch")


def open_clip_files():
    """One model in every wrapping; the configuration beside them tells heads and activation."""
    folder = ROOT / "open_clip"
    folder.mkdir(parents=True)
    OpenClip.save_config(folder, TINY)
    model = randomise(OpenClip.build(TINY), 21)
    state = model.state_dict()
    save(folder / "state_dict.pt", state, state)
    save(folder / "protocol_4.pt", state, state, pickle_protocol=4)
    save(folder / "parameters.pt", dict(model.named_parameters()), state)
    save(folder / "whole_module.pt", model, state)
    optimizer = stepped(model)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    prefixed = lambda prefix: collections.OrderedDict((prefix + k, v) for k, v in state.items())
    training = {
        "epoch": 3,
        "name": "tiny – ünïcode",
        "state_dict": prefixed("module."),
        "optimizer": optimizer,
        "scaler": {"scale": 65536.0, "growth_interval": 2000, "_growth_tracker": 7},
        "args": argparse.Namespace(lr=1e-6, betas=(0.9, 0.98), names=["a", None, 2**70, -(2**40)], flags={1, 2}),
    }
    save(folder / "training.pt", training, state)
    save(folder / "compiled.pt", {"model": prefixed("module._orig_mod."), "step": 5}, state)
    save(folder / "lightning.pt", {"state_dict": prefixed("model."), "loops": {}, "callbacks": []}, state)
    half = {k: v.half() for k, v in state.items()}
    save(folder / "half.pt", half, half)
    bf16 = {k: v.bfloat16() for k, v in state.items()}
    save(folder / "bfloat16.pt", bf16, bf16)
    save(folder / "strided.pt", strided(state), state)
    path = folder / "legacy.pt"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    with torch.no_grad():
        path = folder / "scripted.pt"
        torch.jit.save(torch.jit.script(model.float()), path)
        record(path, state, format="torchscript")
    custom_text(folder, state)


def stepped(model):
    """The state of an optimizer after one step."""
    optimizer = torch.optim.AdamW(list(model.parameters())[:8], lr=1e-3)
    sum(parameter.square().sum() for parameter in model.parameters()).backward()
    optimizer.step()
    optimizer.zero_grad()
    return optimizer.state_dict()


def strided(state):
    """Views: transposed, with an offset into one common storage, and every second element."""
    changed = {}
    common = torch.cat([state[k].reshape(-1) for k in sorted(state) if "ln_" in k])
    offset = 0
    for name in sorted(state):
        tensor = state[name]
        if "ln_" in name:
            changed[name] = common[offset : offset + tensor.numel()].view(tensor.shape)
            offset += tensor.numel()
        elif tensor.dim() == 2:
            changed[name] = tensor.t().contiguous().t()
        elif tensor.dim() == 4:
            changed[name] = tensor.to(memory_format=torch.channels_last)
        elif tensor.dim() == 1:
            changed[name] = tensor.repeat_interleave(2)[::2]
        else:
            changed[name] = tensor
    return changed


def custom_text(folder, state):
    """The same weights in a CustomTextCLIP, by open_clip's own class."""
    from open_clip.model import CustomTextCLIP

    config = TINY.open_clip_config()
    model = CustomTextCLIP(config["embed_dim"], config["vision_cfg"], config["text_cfg"], quick_gelu=True)
    own = {name.removeprefix("text."): name for name in model.state_dict()}
    model.load_state_dict({own[name]: tensor for name, tensor in state.items()})
    save(folder / "custom_text.pt", {"state_dict": model.state_dict()}, state)


class Attention(nn.Module):
    """nn.MultiheadAttention's parameters by its names."""

    def __init__(self, width):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x):
        return x @ self.in_proj_weight.sum() + self.in_proj_bias.sum() + self.out_proj.weight.sum() + self.out_proj.bias.sum()


class Touch(nn.Module):
    """A module whose forward uses every parameter, so that tracing keeps them all; what it computes is nothing."""

    def forward(self, x):
        total = x.sum()
        for parameter in self.parameters():
            total = total + parameter.float().sum()
        return total


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def modules(**children):
    touch = Touch()
    for name, child in children.items():
        if isinstance(child, nn.Parameter):
            touch.register_parameter(name, child)
        elif isinstance(child, nn.Module):
            touch.add_module(name, child)
        else:
            touch.register_buffer(name, child)
    return touch


def parameter(*shape):
    return nn.Parameter(torch.empty(shape))


def transformer(width, layers):
    def block():
        mlp = nn.Sequential(collections.OrderedDict(c_fc=nn.Linear(width, 8), gelu=QuickGELU(), c_proj=nn.Linear(8, width)))
        return modules(attn=Attention(width), ln_1=nn.LayerNorm(width), mlp=mlp, ln_2=nn.LayerNorm(width))

    return modules(resblocks=nn.Sequential(*[block() for _ in range(layers)]))


def openai_model():
    """The names, shapes, types and class of OpenAI's archives, at towers one head of 64 wide."""
    width, image, patch, embed, context, vocabulary = 64, 4, 2, 4, 3, 9
    visual = modules(
        conv1=nn.Conv2d(3, width, patch, patch, bias=False),
        class_embedding=parameter(width),
        positional_embedding=parameter((image // patch) ** 2 + 1, width),
        ln_pre=nn.LayerNorm(width),
        transformer=transformer(width, 1),
        ln_post=nn.LayerNorm(width),
        proj=parameter(width, embed),
    )

    class Multimodal(Touch):
        pass

    Multimodal.__module__, Multimodal.__qualname__ = "multimodal.model.multimodal_transformer", "Multimodal"
    model = Multimodal()
    for name, child in {
        "visual": visual,
        "transformer": transformer(width, 1),
        "token_embedding": nn.Embedding(vocabulary, width),
        "ln_final": nn.LayerNorm(width),
    }.items():
        model.add_module(name, child)
    for name, value in {
        "positional_embedding": parameter(context, width),
        "text_projection": parameter(width, embed),
        "logit_scale": parameter(),
    }.items():
        model.register_parameter(name, value)
    for name, value in {"input_resolution": image, "context_length": context, "vocab_size": vocabulary}.items():
        model.register_buffer(name, torch.tensor(value))
    with torch.no_grad():
        for i, (name, tensor) in enumerate(sorted(model.named_parameters())):
            # A short period, so that the repository can compress what looks random to no test.
            pattern = (torch.arange(tensor.numel()) * (i + 3) + 5 * i) % 61 - 30
            tensor.copy_((pattern / 64.0).reshape(tensor.shape))
    return model.eval()


def alone():
    """Files without any configuration: an archive like OpenAI's, and its state dict, which tells no activation."""
    folder = ROOT / "alone"
    folder.mkdir(parents=True)
    model = openai_model()
    with torch.no_grad():
        traced = torch.jit.trace(model, torch.zeros(1), check_trace=False)
        # clip/model.py, convert_weights: these are half precision in the archives, the rest is not.
        for name, tensor in traced.named_parameters():
            if re.search(r"conv1|attn\.|mlp\.|proj", name):
                tensor.data = tensor.data.half()
    path = folder / "openai.pt"
    torch.jit.save(traced, path)
    state = dict(traced.state_dict())
    record(path, state, format="torchscript")
    sizes = ("input_resolution", "context_length", "vocab_size")
    state = {name: tensor.half() for name, tensor in state.items() if name not in sizes}
    save(folder / "state_dict.pt", state, state)


def hugging_face_files():
    model = randomise(HuggingFace.build(TINY), 22)
    state = {k: v.contiguous() for k, v in model.state_dict().items() if not k.endswith("position_ids")}
    folder = ROOT / "hf_sharded"
    model.save_pretrained(folder, max_shard_size="2KB")
    record(folder / "model.safetensors.index.json", state, format="safetensors")
    config = (folder / "config.json").read_text()
    for name in ("hf_bin", "hf_bin_sharded"):
        (ROOT / name).mkdir()
        (ROOT / name / "config.json").write_text(config)
    # Files of transformers before 4.31 carry these buffers.
    buffers = {
        "text_model.embeddings.position_ids": torch.arange(TINY.context).expand(1, -1).contiguous(),
        "vision_model.embeddings.position_ids": torch.arange((TINY.image // TINY.patch) ** 2 + 1).expand(1, -1).contiguous(),
    }
    old = collections.OrderedDict(sorted((state | buffers).items()))
    save(ROOT / "hf_bin" / "pytorch_model.bin", old, old)
    names = list(old)
    shards = [names[: len(names) // 2], names[len(names) // 2 :]]
    folder, weight_map = ROOT / "hf_bin_sharded", {}
    for i, shard in enumerate(shards, 1):
        file = f"pytorch_model-{i:05}-of-{len(shards):05}.bin"
        torch.save(collections.OrderedDict((name, old[name]) for name in shard), folder / file)
        weight_map |= dict.fromkeys(shard, file)
    index = {"metadata": {"total_size": sum(t.nbytes for t in old.values())}, "weight_map": weight_map}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")
    record(folder / "pytorch_model.bin.index.json", old, format="pytorch")
    single_towers(model.config)


def single_towers(config):
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionModel, CLIPVisionModelWithProjection

    for kind, part in (
        (CLIPTextModel, config.text_config),
        (CLIPTextModelWithProjection, config.text_config),
        (CLIPVisionModel, config.vision_config),
        (CLIPVisionModelWithProjection, config.vision_config),
    ):
        part.projection_dim = TINY.embed
        kind(part).save_pretrained(ROOT / kind.__name__)


def foreign_names():
    """Parameter names of models that are refused, one for each pattern of numbers: what a reader knows them by."""
    import open_clip
    from transformers import SiglipConfig, SiglipModel

    found = {}
    for name in ("RN50", "coca_ViT-B-32", "ViT-B-16-SigLIP", "convnext_base", "ViTamin-S", "ViT-M-16-alt"):
        model = open_clip.create_model(name, pretrained=None, load_weights=False)
        found[name] = list(model.state_dict())
    part = {"num_hidden_layers": 1}
    found["SiglipModel"] = list(SiglipModel(SiglipConfig(text_config=part, vision_config=part)).state_dict())
    first = lambda names: list({re.sub(r"\d+", "0", name): name for name in reversed(names)}.values())[::-1]
    write_json(ROOT / "foreign.json", {kind: first(names) for kind, names in found.items()})


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    torch.manual_seed(4)
    open_clip_files()
    alone()
    hugging_face_files()
    foreign_names()
    write_json(ROOT / "golden.json", SUMS)
    write_versions()


if __name__ == "__main__":
    main()
