"""Random CLIP models in both layouts, for golden files and comparisons."""

import json
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Spec:
    """One architecture. Head counts divide the widths; the end token is the last id, the start token the one before."""

    embed: int
    image: int
    patch: int
    vision_width: int
    vision_layers: int
    vision_heads: int
    text_width: int
    text_layers: int
    text_heads: int
    context: int
    vocabulary: int
    quick_gelu: bool

    @property
    def end(self):
        return self.vocabulary - 1

    @property
    def start(self):
        return self.vocabulary - 2

    def hf_config(self):
        from transformers import CLIPConfig

        activation = "quick_gelu" if self.quick_gelu else "gelu"
        text = {
            "hidden_size": self.text_width,
            "intermediate_size": 4 * self.text_width,
            "num_hidden_layers": self.text_layers,
            "num_attention_heads": self.text_heads,
            "max_position_embeddings": self.context,
            "vocab_size": self.vocabulary,
            "hidden_act": activation,
            "bos_token_id": self.start,
            "eos_token_id": self.end,
            "pad_token_id": 0,
        }
        vision = {
            "hidden_size": self.vision_width,
            "intermediate_size": 4 * self.vision_width,
            "num_hidden_layers": self.vision_layers,
            "num_attention_heads": self.vision_heads,
            "image_size": self.image,
            "patch_size": self.patch,
            "hidden_act": activation,
        }
        return CLIPConfig(text_config=text, vision_config=vision, projection_dim=self.embed)

    def open_clip_config(self):
        config = {
            "embed_dim": self.embed,
            "vision_cfg": {
                "image_size": self.image,
                "layers": self.vision_layers,
                "width": self.vision_width,
                "head_width": self.vision_width // self.vision_heads,
                "patch_size": self.patch,
            },
            "text_cfg": {
                "context_length": self.context,
                "vocab_size": self.vocabulary,
                "width": self.text_width,
                "heads": self.text_heads,
                "layers": self.text_layers,
            },
        }
        return config | {"quick_gelu": True} if self.quick_gelu else config


class HuggingFace:
    """transformers' CLIPModel: a folder with config.json and model.safetensors."""

    name, file = "hf", "model.safetensors"

    @staticmethod
    def build(spec):
        from transformers import CLIPModel

        return CLIPModel(spec.hf_config()).eval()

    @staticmethod
    def save(model, folder, spec, dtype=torch.float32):
        model.to(dtype).save_pretrained(folder)

    @staticmethod
    def images(model, pixels):
        return model.get_image_features(pixel_values=pixels).pooler_output

    @staticmethod
    def texts(model, rows):
        return torch.cat([model.get_text_features(input_ids=torch.tensor([row])).pooler_output for row in rows])


class OpenClip:
    """open_clip's CLIP: a folder with open_clip_config.json and open_clip_model.safetensors."""

    name, file = "open-clip", "open_clip_model.safetensors"

    @staticmethod
    def build(spec):
        from open_clip.model import CLIP

        config = spec.open_clip_config()
        return CLIP(config["embed_dim"], config["vision_cfg"], config["text_cfg"], config.get("quick_gelu", False)).eval()

    @staticmethod
    def save(model, folder, spec, dtype=torch.float32):
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        state = {name: tensor.to(dtype).contiguous() for name, tensor in model.state_dict().items()}
        save_file(state, folder / OpenClip.file, metadata={"format": "pt"})
        OpenClip.save_config(folder, spec)

    @staticmethod
    def save_config(folder, spec):
        from golden import MEAN, STD

        preprocess = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "shortest"}
        config = {"model_cfg": spec.open_clip_config(), "preprocess_cfg": preprocess}
        (folder / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")

    @staticmethod
    def images(model, pixels):
        return model.encode_image(pixels)

    @staticmethod
    def texts(model, rows):
        context = model.positional_embedding.shape[0]
        return model.encode_text(torch.tensor([row + [0] * (context - len(row)) for row in rows]))


LAYOUTS = {layout.name: layout for layout in (HuggingFace, OpenClip)}


@torch.no_grad()
def randomise(model, seed):
    """Every parameter off its default, so that a forgotten or swapped one shows; features stay well spread."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(model.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        is_norm = any(part in name for part in ("ln_", "norm", "layrnorm"))
        if name == "logit_scale":
            parameter.fill_(2.5 + 0.1 * (seed % 7))
        elif "embedding" in name and "patch" not in name:
            parameter.copy_(0.7 * noise)
        elif parameter.dim() >= 2:
            parameter.copy_(1.3 * noise / (parameter.numel() / parameter.shape[0]) ** 0.5)
        elif is_norm and name.endswith("weight"):
            parameter.copy_(1 + 0.3 * noise)
        else:
            parameter.copy_(0.2 * noise)
    return model


@torch.no_grad()
def encode(layout, model, pixels, rows):
    """Features as the towers give them, and the logits of the normalised ones."""
    images, texts = layout.images(model, pixels), layout.texts(model, rows)
    image_embeddings = torch.nn.functional.normalize(images, dim=-1)
    text_embeddings = torch.nn.functional.normalize(texts, dim=-1)
    scale = model.logit_scale.exp()
    return {
        "image_features": images,
        "text_features": texts,
        "image_embeddings": image_embeddings,
        "text_embeddings": text_embeddings,
        "logit_scale": scale,
        "logits_per_image": scale * image_embeddings @ text_embeddings.T,
    }
