//! Building the seL4 kernel from its source.
//!
//! The steps are those of the kernel's own Makefile, without make: a handful of generated headers, one C translation unit, four assembly
//! files, a linker script. The result depends on nothing but the source, the configuration, the fixes and the compiler, and is kept under
//! a name made from all of them.

mod compile;
mod config;
mod fixes;
mod generate;
mod source;
mod sources;

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::{host, workspace};
use compile::Build;
pub use config::Options;

/// A kernel that has been built.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The kernel as a 32-bit ELF file, the form that QEMU's `-kernel` takes.
    pub elf: PathBuf,
    /// The folder with `autoconf.h`, `api/invocation.h`, `arch/api/invocation.h`, `arch/api/sel4_invocation.h` and `arch/api/syscall.h`,
    /// the numbers this kernel goes by.
    pub headers: PathBuf,
}

/// Builds the kernel, or finds it built.
///
/// Errors carry the command that failed and what it wrote.
pub fn build(options: &Options) -> Result<Kernel> {
    let folder =
        workspace::machine_folder().join(format!("kernel-{:016x}", fingerprint(*options)?));
    if !folder.is_dir() {
        build_into(&folder, *options).context("building the kernel")?;
    }
    Ok(Kernel {
        elf: folder.join(compile::KERNEL),
        headers: folder,
    })
}

/// What gcc, in the folder [`Kernel::headers`], needs to see the kernel's headers as the kernel does.
pub fn header_flags(options: &Options) -> Result<Vec<String>> {
    let build = Build::new(source::locate()?, PathBuf::new(), *options);
    Ok(build.header_flags())
}

/// Builds in a folder of its own and renames it when it is complete, so that an interrupted build leaves nothing that looks finished and
/// two builds at once do no harm.
fn build_into(folder: &Path, options: Options) -> Result<()> {
    let parent = workspace::machine_folder();
    fs::create_dir_all(&parent)?;
    let scratch = tempfile::Builder::new()
        .prefix("kernel-build-")
        .tempdir_in(&parent)?;
    let source = source::locate()?;
    let build = Build::new(source, scratch.path().to_owned(), options);
    generate::headers(&build)?;
    compile::kernel(&build)?;
    match fs::rename(scratch.path(), folder) {
        Err(_) if folder.is_dir() => Ok(()),
        result => result.with_context(|| format!("moving the kernel to {}", folder.display())),
    }
}

/// A number that changes with everything the kernel is made from.
fn fingerprint(options: Options) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    source::VERSION.hash(&mut hasher);
    config::autoconf(options).hash(&mut hasher);
    for code in [
        include_str!("compile.rs"),
        include_str!("config.rs"),
        include_str!("fixes.rs"),
        include_str!("generate.rs"),
        include_str!("sources.rs"),
    ] {
        code.hash(&mut hasher);
    }
    host::output("gcc", ["-dumpfullversion"])?.hash(&mut hasher);
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixes_match_the_source() {
        let source = source::locate().unwrap();
        for fix in fixes::FIXES {
            let text = fs::read_to_string(source.join(fix.file)).unwrap();
            assert_ne!(fixes::apply(fix.file, text.clone()).unwrap(), text);
        }
    }

    #[test]
    fn release_and_debug_are_kept_apart() {
        let release = fingerprint(Options { debug: false }).unwrap();
        assert_ne!(release, fingerprint(Options { debug: true }).unwrap());
        assert_eq!(release, fingerprint(Options { debug: false }).unwrap());
    }
}
