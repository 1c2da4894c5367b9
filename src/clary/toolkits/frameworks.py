"""What each framework's image does where the user's script leaves a function out.

The functions have the script contract's names and signatures, and do what `sagemaker-scikit-learn-container`
and `sagemaker-xgboost-container` document for theirs. Neither has a default `model_fn`: only the script knows
how it saved its model.
"""

from typing import Any, NoReturn, Protocol

from clary.toolkits import encoders
from clary.toolkits.http import Response
from clary.toolkits.recordio import read_recordio
from clary.toolkits.tabular import read_csv_rows, read_libsvm_rows


class Framework(Protocol):
    def model_fn(self, model_dir: str) -> Any: ...

    def input_fn(self, body: str | bytes, content_type: str) -> Any: ...

    def predict_fn(self, data: Any, model: Any) -> Any: ...

    def output_fn(self, prediction: Any, accept: str) -> Any: ...


class _Framework:
    def model_fn(self, model_dir: str) -> NoReturn:
        raise NotImplementedError(
            "Please provide a model_fn implementation.\n"
            "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk"
        )

    def output_fn(self, prediction: Any, accept: str) -> Response:
        """Encode in the first format of `accept` that is known."""
        for content_type in accept.split(","):
            try:
                body = encoders.encode(prediction, content_type)
            except encoders.UnsupportedFormat:
                continue
            return Response(body, encoders.media_type(content_type))
        raise encoders.UnsupportedFormat(accept)


class SklearnFramework(_Framework):
    def input_fn(self, body: str | bytes, content_type: str) -> Any:
        array = encoders.decode(body, content_type)
        return array.astype("float32") if encoders.media_type(content_type) in encoders.TEXT_TYPES else array

    def predict_fn(self, data: Any, model: Any) -> Any:
        return model.predict(data)


class XgboostFramework(_Framework):
    def input_fn(self, body: str | bytes, content_type: str) -> Any:
        """A `DMatrix` of the rows."""
        import xgboost  # Slow to import, and sure to be there in this framework's image only.

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


FRAMEWORKS: dict[str, type[Framework]] = {"sklearn": SklearnFramework, "xgboost": XgboostFramework}
