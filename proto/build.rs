//! Compiles the contracts with protox (no protoc needed): messages, services, their JSON form and the descriptor set for reflection.
use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 2] = ["cellarbook/v1/invoice.proto", "cellarbook/v1/extraction.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=cellarbook");
    let descriptors = protox::compile(FILES, ["."])?;
    let encoded = descriptors.encode_to_vec();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), &encoded)?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    pbjson_build::Builder::new().register_descriptors(&encoded)?.preserve_proto_field_names().emit_fields().build(&[".cellarbook"])?;
    Ok(())
}
