//! Tells the linker where libtorch lies, and compiles the C++ shim over what tch does not wrap.

#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a build script may stop, and cargo speaks to it so"
)]

use std::path::PathBuf;

fn main() {
    // torch-sys says where libtorch is (links = "tch"); a direct dependency gets it.
    let lib =
        PathBuf::from(std::env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys gives its library folder"));
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/diffusion/shim.cpp");
    let include = lib.parent().expect("lib has a parent").join("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .file("src/diffusion/shim.cpp")
        .compile("imgen_torch_shim");
}
