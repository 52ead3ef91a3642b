"""ONNX graphs of the towers, and their half-precision and quantized variants as the usual tools write them.
"""
import io
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 14


def export(tower, inputs, outputs, dynamic):
    """A tower as an ONNX model; `inputs` maps names to example tensors, `dynamic` names to axes."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tower,
            tuple(inputs.values()),
            buffer,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_axes=dynamic,
        )
    return stripped(onnx.load_from_string(buffer.getvalue()))


def stripped(model):
    """The model without doc strings and inferred shapes."""
    model.doc_string = model.graph.doc_string = ""
    model.graph.name = "main_graph"
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    return model


def copy_of(model):
    """A copy that may be changed."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def half_tensor(tensor):
    """A float32 tensor as float16; others as they are."""
    if tensor.data_type == TensorProto.FLOAT:
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), name))


def half(model):
    """The whole graph in float16, inputs and outputs included."""
    model = copy_of(model)
    for tensor in model.graph.initializer:
        half_tensor(tensor)
    for value in list(model.graph.input) + list(model.graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                half_tensor(attribute.t)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
    return stripped(model)


def affine(values, signed):
    """8-bit values with their scale and zero point, as ORT's dynamic quantizer picks them for weights."""
    if signed:
        step, zero, kind = max(np.abs(values).max() / 127, 1e-8), 0, np.int8
    else:
        low, high = min(values.min(), 0), max(values.max(), 0)
        step, kind = max((high - low) / 255, 1e-8), np.uint8
        zero = int(round(-low / step))
    limits = np.iinfo(kind)
    return (
        np.clip(np.round(values / step) + zero, limits.min, limits.max).astype(kind),
        np.float32(step),
        kind(zero),
    )


class Rewrite:
    """A model whose nodes are replaced one by one."""

    def __init__(self, model):
        self.model = copy_of(model)
        self.weights = {tensor.name: tensor for tensor in self.model.graph.initializer}
        self.nodes, self.added, self.dropped, self.dynamic = [], [], set(), {}

    def constant(self, name, values):
        """A new initializer."""
        self.added.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def matrix(self, node):
        """The constant right side of a MatMul, or nothing."""
        if node.op_type != "MatMul" or node.input[1] not in self.weights:
            return None
        return numpy_helper.to_array(self.weights[node.input[1]])

    def emit(self, kind, inputs, outputs, **attributes):
        """Appends a node."""
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0] + "_node", **attributes))
        return outputs[0]

    def quantized_input(self, name):
        """The DynamicQuantizeLinear of an activation, once for each."""
        if name not in self.dynamic:
            self.dynamic[name] = [name + suffix for suffix in ("_quantized", "_scale", "_zero_point")]
            self.emit("DynamicQuantizeLinear", [name], self.dynamic[name])
        return self.dynamic[name]

    def weight(self, name, signed):
        """The three initializers of a quantized weight."""
        values, step, zero = affine(numpy_helper.to_array(self.weights[name]), signed)
        self.dropped.add(name)
        return [
            self.constant(name + suffix, v)
            for suffix, v in (("_quantized", values), ("_scale", step), ("_zero_point", zero))
        ]

    def integer(self, node, kind, signed):
        """A MatMulInteger or ConvInteger with what brings it back to float32."""
        out = node.output[0]
        x, x_scale, x_zero = self.quantized_input(node.input[0])
        w, w_scale, w_zero = self.weight(node.input[1], signed)
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        self.emit(kind, [x, w, x_zero, w_zero], [out + "_integer"], **attributes)
        self.emit("Cast", [out + "_integer"], [out + "_float"], to=TensorProto.FLOAT)
        self.emit("Mul", [x_scale, w_scale], [out + "_scales"])
        biased = len(node.input) > 2
        self.emit("Mul", [out + "_float", out + "_scales"], [out + "_scaled" if biased else out])
        if biased:
            bias = self.constant(
                node.input[2] + "_reshaped",
                numpy_helper.to_array(self.weights[node.input[2]]).reshape(1, -1, 1, 1),
            )
            self.dropped.add(node.input[2])
            self.emit("Add", [out + "_scaled", bias], [out])

    def lookup(self, node, signed):
        """A Gather from an 8-bit table."""
        w, w_scale, w_zero = self.weight(node.input[0], signed)
        self.emit("Gather", [w, node.input[1]], [node.output[0] + "_quantized"], axis=0)
        self.emit("DequantizeLinear", [node.output[0] + "_quantized", w_scale, w_zero], [node.output[0]])

    def finish(self):
        """The rewritten model."""
        graph = self.model.graph
        del graph.node[:]
        graph.node.extend(self.nodes)
        kept = [tensor for tensor in graph.initializer if tensor.name not in self.dropped]
        del graph.initializer[:]
        graph.initializer.extend(kept + self.added)
        return self.model


def table(node, weights):
    """Whether a node looks up rows of a constant table of float32."""
    return (
        node.op_type == "Gather"
        and node.input[0] in weights
        and weights[node.input[0]].data_type == TensorProto.FLOAT
        and len(weights[node.input[0]].dims) == 2
    )


def dynamic_int8(model, signed):
    """ORT's dynamic quantization; a convolution is done in uint8 only, as ORT has no ConvInteger for int8
    weights.
    """
    rewrite = Rewrite(model)
    for node in model.graph.node:
        if rewrite.matrix(node) is not None:
            rewrite.integer(node, "MatMulInteger", signed)
        elif node.op_type == "Conv" and not signed:
            rewrite.integer(node, "ConvInteger", signed)
        elif table(node, rewrite.weights):
            rewrite.lookup(node, signed)
        else:
            rewrite.nodes.append(node)
    return stripped(rewrite.finish())


def four_bits(matrix, block=32):
    """[K, N] as MatMulNBits holds it: [N, blocks, block / 2] bytes, low nibble first, and a scale a block;
    zero is 8.
    """
    depth, columns = matrix.shape
    blocks = -(-depth // block)
    padded = np.zeros((columns, blocks * block), np.float32)
    padded[:, :depth] = matrix.T
    padded = padded.reshape(columns, blocks, block)
    peak = np.take_along_axis(padded, np.abs(padded).argmax(-1)[..., None], -1)
    scales = peak / -8
    values = np.clip(np.round(padded / np.where(scales == 0, 1, scales)) + 8, 0, 15).astype(np.uint8)
    return values[..., 0::2] | values[..., 1::2] << 4, scales.reshape(-1).astype(np.float32)


def matmul_four_bits(model, block=32):
    """The constant matrix products as com.microsoft's MatMulNBits; all else stays float32."""
    rewrite = Rewrite(model)
    for node in model.graph.node:
        matrix = rewrite.matrix(node)
        if matrix is None:
            rewrite.nodes.append(node)
            continue
        packed, scales = four_bits(matrix, block)
        name = node.input[1]
        rewrite.dropped.add(name)
        inputs = [
            node.input[0],
            rewrite.constant(name + "_Q4", packed),
            rewrite.constant(name + "_scales", scales),
        ]
        rewrite.emit(
            "MatMulNBits",
            inputs,
            [node.output[0]],
            domain="com.microsoft",
            K=matrix.shape[0],
            N=matrix.shape[1],
            bits=4,
            block_size=block,
        )
    model = rewrite.finish()
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return stripped(model)
