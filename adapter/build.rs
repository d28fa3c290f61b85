//! The migrations are part of the program: it is built anew when one of them is.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
