//! Where the kernel's source is.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{CargoOpt, MetadataCommand};

use crate::workspace;

/// The package that carries the kernel's source.
const PACKAGE: &str = "sel4-sys";

/// Its version, the one this crate's manifest pins.
pub const VERSION: &str = "0.0.28";

/// Finds the kernel's source in cargo's own store.
///
/// The package is a dependency of this crate under a condition that never holds: cargo locks and fetches it, so it is checked against the
/// lock file and there offline, but its Rust code, which predates today's compilers, is never built.
pub fn locate() -> Result<PathBuf> {
    let metadata = MetadataCommand::new()
        .manifest_path(workspace::root().join("Cargo.toml"))
        .features(CargoOpt::SomeFeatures(Vec::new()))
        .other_options(vec!["--locked".into()])
        .exec()
        .context("asking cargo where the kernel source is")?;
    let package = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == PACKAGE && package.version.to_string() == VERSION)
        .with_context(|| format!("no package {PACKAGE} {VERSION} in Cargo.lock"))?;
    let folder = package
        .manifest_path
        .parent()
        .context("a manifest is in a folder")?
        .join("seL4")
        .into_std_path_buf();
    ensure!(
        folder.join("VERSION").is_file(),
        "{} holds no kernel source",
        folder.display()
    );
    Ok(folder)
}
