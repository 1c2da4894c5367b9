"""The algorithms whose data are pictures."""

import json
import struct
from collections.abc import Callable, Mapping

import numpy as np

from clary.algorithms.kit.formats import JSONLINES
from tests.algorithms.cases.case import Case, Channel, Form, Job, Mistakes, Refusal, no_data
from tests.algorithms.pictures import boxes, draw, encode, encode_mask, framed, record, scene

RECORDIO, IMAGE, PNG = "application/x-recordio", "application/x-image", "image/png"
SIDE = 48
Files = Mapping[str, bytes]


def scenes(seed: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(seed)
    return [scene(random, SIDE) for _ in range(count)]


def pictures(seed: int, count: int) -> list[bytes]:
    random = np.random.default_rng(seed)
    return [encode(draw(number % 3, random)) for number in range(count)]


def listed_job(seed: int) -> Job:
    """Picture files, and the list of them."""
    files = {f"{number}.ppm": picture for number, picture in enumerate(pictures(seed, 6))}
    lines = "".join(f"{number}\t{number % 3}\t{number}.ppm\n" for number in range(6))
    parameters = {
        "num_classes": "3",
        "num_training_samples": "6",
        "image_shape": "3,24,24",
        "num_layers": "20",
        "epochs": "1",
        "mini_batch_size": "6",
    }
    channels = {"train": Channel(IMAGE, files), "train_lst": Channel(IMAGE, {"train.lst": lines.encode()})}
    return Job(parameters, channels)


def listed_mistakes(good: Job) -> Mistakes:
    def line(text: str) -> Job:
        return good.holding("train_lst", f"0\t0\t0.ppm\n{text}\n".encode())

    def records(content: bytes) -> Job:
        return good.without("train_lst").having("train", RECORDIO, {"0.ppm": content})

    picture = pictures(0, 1)[0]
    whole = record([0], picture)
    return {
        "label beyond": (line("1\t3\t1.ppm"), "1.ppm has the label 3: labels are whole numbers from 0 to 2"),
        "negative label": (line("1\t-1\t1.ppm"), "1.ppm has the label -1"),
        "no whole label": (line("1\t0.5\t1.ppm"), "1.ppm has the label 0.5"),
        "label nan": (line("1\tnan\t1.ppm"), "1.ppm has the label nan"),
        "label of text": (line("1\tred\t1.ppm"), "train.lst, line 2 has a label that is no number"),
        "two labels": (line("1\t0\t1\t1.ppm"), "1.ppm has 2 labels, and must have 1"),
        "no label": (line("1\t1.ppm"), "train.lst, line 2 is not number, label and path"),
        "one column": (line("1.ppm"), "train.lst, line 2 is not number, label and path"),
        "missing picture": (
            line("1\t0\tother.ppm"),
            "train.lst, line 2 names the image 'other.ppm', which is not in the channel 'train'",
        ),
        "picture elsewhere": (line("1\t0\t../train_lst/train.lst"), "which is not in the channel 'train'"),
        "list of bytes": (good.holding("train_lst", b"0\t0\t0.ppm\n1\t0\t\xff.ppm\n"), "train.lst, line 2"),
        "no list": (good.without("train_lst"), "needs a channel 'train_lst', which lists them"),
        "no picture": (good.holding("train", b"no picture"), "0.ppm cannot be read as a picture"),
        "cut picture": (good.holding("train", picture[:-9]), "0.ppm cannot be read as a picture"),
        "cut record": (records(whole[:-5]), "0.ppm: record 1"),
        "no record": (records(b"no record"), "0.ppm: record 1: no RecordIO record begins at byte 0"),
        "short record": (records(framed(b"short")), "0.ppm: record 1 is too short to hold an image"),
        "labels that are not there": (records(framed(struct.pack("<IfQQ", 99, 0, 0, 0))), "0.ppm: record 1"),
        "label in a record": (records(whole + record([7], picture)), "0.ppm: record 2 has the label 7"),
        "no picture in a record": (
            records(whole + record([0], b"no picture")),
            "0.ppm: record 2 cannot be read as a picture",
        ),
        "layers": (good.given(num_layers="50"), "'50' is not valid for the 'num_layers'"),
        "shape": (good.given(image_shape="3,24"), "is not valid for the 'image_shape'"),
        "shape of text": (good.given(image_shape="3,a,b"), "'3,a,b' is not valid for the 'image_shape'"),
        "steps": (good.given(lr_scheduler_step="a"), "'a' is not valid for the 'lr_scheduler_step'"),
        "no model": (
            good.having("model", "application/x-sagemaker-model", {}),
            "The channel 'model' holds no model of this algorithm",
        ),
        "broken model": (
            good.having("model", "application/x-sagemaker-model", {"model.pt": b"x", "model-shapes.json": b"{"}),
            "The channel 'model' holds no model of this algorithm",
        ),
        "empty validation": (good.having("validation", RECORDIO, {"v.rec": b""}), no_data("validation")),
    }


def annotation(objects: list[list[int]]) -> bytes:
    names = ("class_id", "left", "top", "width", "height")
    said = [dict(zip(names, each, strict=True)) for each in objects]
    return json.dumps({"image_size": [{"width": SIDE, "height": SIDE, "depth": 3}], "annotations": said}).encode()


def paired(seed: int, kind: str, suffix: str, said: Callable[[np.ndarray], bytes]) -> dict[str, Channel]:
    """Picture files in a channel, what is said of each in another."""
    found = {}
    for name in ("train", "validation"):
        made = list(enumerate(scenes(seed, 2)))
        found[name] = Channel(IMAGE, {f"{number}.ppm": encode(picture) for number, (picture, _) in made})
        found[f"{name}_annotation"] = Channel(kind, {f"{number}.{suffix}": said(mask) for number, (_, mask) in made})
    return found


def detection_job(seed: int) -> Job:
    parameters = {
        "num_classes": "2",
        "num_training_samples": "2",
        "base_network": "resnet-50",
        "use_pretrained_model": "0",
        "epochs": "1",
        "mini_batch_size": "2",
    }
    return Job(parameters, paired(seed, "application/json", "json", lambda mask: annotation(boxes(mask))))


def detection_mistakes(good: Job) -> Mistakes:
    def said(content: bytes) -> Job:
        return good.holding("train_annotation", content)

    def records(content: bytes) -> Job:
        found = good.without("train_annotation").typed("train", RECORDIO)
        return found.holding("train", None, "1.ppm").holding("train", content)

    picture = encode(scenes(0, 1)[0][0])
    return {
        "class beyond": (
            said(annotation([[2, 0, 0, 9, 9]])),
            "0.ppm has an object of class 2: classes are numbers from 0 to 1",
        ),
        "negative class": (said(annotation([[-1, 0, 0, 9, 9]])), "0.ppm has an object of class -1"),
        "outside": (
            said(annotation([[0, 0, 0, 99, 9]])),
            "0.ppm has an object at 0, 0, 2.0625, 0.1875: that is no box within the picture",
        ),
        "no size": (
            said(annotation([[0, 0, 0, 0, 0]])),
            "0.ppm has an object at 0, 0, 0, 0: that is no box within the picture",
        ),
        "nan": (
            said(annotation([[0, 0, 0, 9, 9]]).replace(b'"class_id": 0', b'"class_id": NaN')),
            "0.ppm has an object of class nan",
        ),
        "picture of no size": (
            said(annotation([[0, 0, 0, 9, 9]]).replace(b'"width": 48', b'"width": 0')),
            "0.json is no annotation",
        ),
        "no JSON": (said(b"{"), "0.json is no annotation"),
        "JSON of a list": (said(b"[]"), "0.json is no annotation"),
        "JSON of bytes": (said(b"\xff\xfe"), "0.json is no annotation"),
        "nothing": (said(b"{}"), "0.json is no annotation"),
        "text for a number": (
            said(annotation([[0, 0, 0, 9, 9]]).replace(b'"left": 0', b'"left": "a"')),
            "0.json is no annotation",
        ),
        "missing annotation": (said(None), "0.ppm has no annotation of its name (0.json) in 'train_annotation'"),
        "no annotations": (good.without("train_annotation"), "needs a channel 'train_annotation'"),
        "no validation": (good.without("validation"), "'validation' is a required property"),
        "no picture": (good.holding("train", b"no picture"), "0.ppm cannot be read as a picture"),
        "no record": (records(b"no record"), "0.ppm: record 1: no RecordIO record begins at byte 0"),
        "cut record": (records(record([2, 5, 0, 0, 0, 1, 1], picture)[:-9]), "0.ppm: record 1"),
        "no objects' widths": (records(record([0], picture)), "0.ppm: record 1 has no labels of objects"),
        "narrow objects": (
            records(record([2, 3, 0, 0, 0], picture)),
            "0.ppm: record 1 says that objects have 3 numbers",
        ),
        "nan for a width": (records(record([2, float("nan"), 0, 0, 0, 1, 1], picture)), "0.ppm: record 1"),
        "infinite width": (records(record([float("inf"), 5, 0, 0, 0, 1, 1], picture)), "0.ppm: record 1"),
        "class in a record": (
            records(record([2, 5, 2, 0, 0, 1, 1], picture)),
            "0.ppm: record 1 has an object of class 2",
        ),
        "nan in a record": (records(record([2, 5, float("nan"), 0, 0, 1, 1], picture)), "0.ppm: record 1"),
        "pattern": (good.given(freeze_layer_pattern="("), "'(' is not valid for the 'freeze_layer_pattern'"),
        "shape": (good.given(image_shape="299"), "'299' is not valid for the 'image_shape'"),
        "no model": (
            good.having("model", "application/x-sagemaker-model", {}),
            "The channel 'model' holds no model of this algorithm",
        ),
    }


def mask_job(seed: int) -> Job:
    parameters = {
        "num_classes": "3",
        "num_training_samples": "2",
        "use_pretrained_model": "False",
        "base_size": "48",
        "crop_size": "32",
        "mini_batch_size": "2",
        "epochs": "1",
    }
    return Job(parameters, paired(seed, PNG, "png", encode_mask))


def mask_mistakes(good: Job) -> Mistakes:
    def masked(content: bytes | None) -> Job:
        return good.holding("train_annotation", content)

    def mapped(content: bytes) -> Job:
        channel = Channel("application/json", {"train_label_map.json": content})
        return Job(good.hyperparameters, {**good.channels, "label_map": channel})

    mask = np.zeros((SIDE, SIDE), np.uint8)
    return {
        "class beyond": (masked(encode_mask(mask + 7)), "0.png has the class 7: classes are numbers from 0 to 2"),
        "other size": (
            masked(encode_mask(mask[:, :40])),
            "0.png has 40 x 48 pixels, and its picture 0.ppm has 48 x 48",
        ),
        "colours": (
            masked(encode(scenes(0, 1)[0][0])),
            "0.png has the mode RGB: an annotation has one channel of 8 bits",
        ),
        "no mask": (masked(b"no mask"), "0.png cannot be read as a picture"),
        "cut mask": (masked(encode_mask(mask)[:-30]), "0.png cannot be read as a picture"),
        "missing mask": (masked(None), "0.ppm has no annotation of its name (0.png) in 'train_annotation'"),
        "no annotations": (good.without("train_annotation"), "needs a channel 'train_annotation'"),
        "no validation": (good.without("validation"), "'validation' is a required property"),
        "no picture": (good.holding("train", b"no picture"), "0.ppm cannot be read as a picture"),
        "map of no JSON": (mapped(b"{"), "train_label_map.json is no label map"),
        "map of a list": (mapped(b"[]"), "train_label_map.json is no label map"),
        "map of text": (mapped(b'{"map": {"a": "b"}}'), "train_label_map.json is no label map"),
        "map beyond": (mapped(b'{"map": {"1": "999"}}'), "train_label_map.json is no label map"),
        "scale of 0": (mapped(b'{"scale": "0"}'), "train_label_map.json is no label map"),
        "map of bytes": (mapped(b"\xff\xfe"), "train_label_map.json is no label map"),
        "crop": (good.given(crop_size="16"), "'16' is not valid for the 'crop_size'"),
        "classes": (good.given(num_classes="1"), "'1' is not valid for the 'num_classes'"),
        "no model": (
            good.having("model", "application/x-sagemaker-model", {}),
            "The channel 'model' holds no model of this algorithm",
        ),
    }


SHOWN = pictures(9, 2)
SCENES = [encode(picture) for picture, _ in scenes(9, 2)]
REFUSALS = (
    Refusal(IMAGE, b"no picture", "The image cannot be read as a picture"),
    Refusal(IMAGE, b"", "The image cannot be read as a picture"),
    Refusal(IMAGE, SHOWN[0][:-9], "The image cannot be read as a picture"),
    Refusal("text/csv", b"1,2,3", "Content-type text/csv is not supported", 415),
    Refusal(IMAGE, SHOWN[0], "Accept type text/csv is not supported", 406, "text/csv"),
)
CASES = (
    Case(
        "image-classification",
        listed_job,
        [Form(IMAGE, JSONLINES, SHOWN, "None")],
        ("prediction",),
        listed_mistakes,
        REFUSALS,
        "num_training_samples",
    ),
    Case(
        "object-detection",
        detection_job,
        [Form(IMAGE, JSONLINES, SCENES, "None")],
        ("prediction",),
        detection_mistakes,
        REFUSALS,
        "num_classes",
        slow=True,
        heavy=True,
    ),
    Case(
        "semantic-segmentation",
        mask_job,
        [Form(IMAGE, PNG, SCENES, "None")],
        (),
        mask_mistakes,
        REFUSALS,
        "num_classes",
        slow=True,
        heavy=True,
    ),
)
