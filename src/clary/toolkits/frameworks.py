"""What each framework's image does where the user's script leaves a function out.

Those of scikit-learn and XGBoost do what `sagemaker-scikit-learn-container` and `sagemaker-xgboost-container` document
for theirs. Neither has a default `model_fn`: only the script knows how it saved its model.
"""

from typing import Any

from clary.toolkits import encoders
from clary.toolkits.defaults import Defaults, Framework
from clary.toolkits.torch_frameworks import HuggingFaceFramework, PytorchFramework


class SklearnFramework(Defaults):
    def input_fn(self, body: str | bytes, content_type: str) -> Any:
        array = encoders.decode(body, content_type)
        return array.astype("float32") if encoders.media_type(content_type) in encoders.TEXT_TYPES else array

    def predict_fn(self, data: Any, model: Any) -> Any:
        return model.predict(data)


class XgboostFramework(Defaults):
    def input_fn(self, body: str | bytes, content_type: str) -> Any:
        """A `DMatrix` of the rows."""
        # Sure to be there in this framework's image only, as is what the readers import.
        import xgboost

        from clary.toolkits.recordio import read_recordio
        from clary.toolkits.tabular import read_csv_rows, read_libsvm_rows

        match encoders.media_type(content_type):
            case "text/csv":
                return xgboost.DMatrix(read_csv_rows(_text(body)))
            case "text/libsvm" | "text/x-libsvm":
                return xgboost.DMatrix(read_libsvm_rows(_text(body)))
            case "application/x-recordio-protobuf" if isinstance(body, bytes):
                return xgboost.DMatrix(read_recordio(body)[0])
        raise encoders.UnsupportedFormat(content_type)

    def predict_fn(self, data: Any, model: Any) -> Any:
        return model.predict(data, validate_features=False)


def _text(body: str | bytes) -> str:
    return body if isinstance(body, str) else body.decode()


FRAMEWORKS: dict[str, type[Framework]] = {
    "sklearn": SklearnFramework,
    "xgboost": XgboostFramework,
    "pytorch": PytorchFramework,
    "huggingface": HuggingFaceFramework,
}
