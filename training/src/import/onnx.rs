//! The part of ONNX that weights are read from. Field numbers: `onnx.proto` of the ONNX specification.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct Model {
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Initializer>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(float, tag = "2")]
    pub f: f32,
}

/// A tensor with its values, stored either as raw little-endian bytes or as floats.
#[derive(Clone, PartialEq, Message)]
pub struct Initializer {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

impl Initializer {
    /// `TensorProto.DataType.FLOAT`
    pub const FLOAT: i32 = 1;

    /// The values, if they are 32-bit floats as many as the shape says.
    pub fn floats(&self) -> Option<Vec<f32>> {
        if self.data_type != Self::FLOAT {
            return None;
        }
        let values = if self.raw_data.is_empty() {
            self.float_data.clone()
        } else {
            self.raw_data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
        };
        (values.len() == self.shape().iter().product::<usize>()).then_some(values)
    }

    pub fn shape(&self) -> Vec<usize> {
        self.dims.iter().map(|&d| usize::try_from(d).unwrap_or(0)).collect()
    }
}
