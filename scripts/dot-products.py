"""Makes the graph of src/evaluation/statistics/rank-pairs.ts: the dot products of two lists of rows, as one Gemm.
Prints it as base64.

Debian's python3-onnx: /usr/bin/python3 scripts/dot-products.py
"""
import base64

import onnx
from onnx import TensorProto, helper

rows = lambda name, count: helper.make_tensor_value_info(name, TensorProto.FLOAT, [count, 'd'])
graph = helper.make_graph(
    [helper.make_node('Gemm', ['queries', 'candidates'], ['scores'], transB=1)],
    'scores',
    [rows('queries', 'm'), rows('candidates', 'n')],
    [helper.make_tensor_value_info('scores', TensorProto.FLOAT, ['m', 'n'])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], producer_name='')
model.ir_version = 8
onnx.checker.check_model(model)
print(base64.b64encode(model.SerializeToString()).decode())
