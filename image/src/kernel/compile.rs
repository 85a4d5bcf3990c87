//! From source and headers to the kernel's ELF file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::config::{self, Options};
use super::{fixes, sources};
use crate::host;

/// The kernel's file in the build folder.
pub const KERNEL: &str = "kernel32.elf";

/// One build of the kernel. All commands run in the build folder.
pub struct Build {
    /// The kernel's source, only read.
    pub source: PathBuf,
    /// The build folder.
    pub folder: PathBuf,
    /// What is built.
    pub options: Options,
}

impl Build {
    /// A build of the kernel in `source`, in the empty folder `folder`.
    pub fn new(source: PathBuf, folder: PathBuf, options: Options) -> Self {
        Self {
            source,
            folder,
            options,
        }
    }

    /// A command that runs in the build folder.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("LC_ALL", "C");
        command
    }

    /// Writes a file of the build folder.
    pub fn write(&self, name: &str, text: String) -> Result<()> {
        let path = self.folder.join(name);
        fs::create_dir_all(
            path.parent()
                .context("a file in the build folder has a parent")?,
        )?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }

    /// Runs the preprocessor over `input`; the result goes to `output` in the build folder.
    pub fn preprocess(&self, flags: &[&str], input: &Path, output: &str) -> Result<()> {
        if let Some(parent) = Path::new(output).parent() {
            fs::create_dir_all(self.folder.join(parent))?;
        }
        let mut cpp = self.command("cpp");
        cpp.arg("-nostdinc")
            .args(config::defines(self.options))
            .args(self.includes())
            .args(flags);
        host::run(cpp.arg(input).arg(output)).map(drop)
    }

    /// What the kernel's C files are preprocessed with.
    pub fn header_flags(&self) -> Vec<String> {
        let defines = config::defines(self.options).into_iter();
        let mut flags: Vec<String> = defines.map(Into::into).collect();
        flags.extend(self.includes());
        flags
    }

    /// The build folder comes first, so that our `autoconf.h` hides the one in the source.
    fn includes(&self) -> Vec<String> {
        let source = |folder| format!("-I{}", self.source.join(folder).display());
        vec![
            "-I.".into(),
            source("include"),
            source("include/arch/x86"),
            source("include/plat/pc99"),
            "-Iplat/64".into(),
            "-I64".into(),
            source("include/64"),
            source("include/arch/x86/arch/64"),
            source("include/plat/pc99/plat/64"),
        ]
    }

    /// A source file with the fixes that concern it.
    fn fixed(&self, file: &str) -> Result<String> {
        let text = fs::read_to_string(self.source.join(file))
            .with_context(|| format!("reading the kernel's {file}"))?;
        fixes::apply(file, text)
    }
}

/// Compiles and links the kernel.
pub fn kernel(build: &Build) -> Result<()> {
    let mut objects = Vec::new();
    for file in sources::ASSEMBLY {
        objects.push(assemble(build, file)?);
    }
    objects.push(compile(build)?);
    build.preprocess(
        &["-P"],
        &build.source.join(sources::LINKER_SCRIPT),
        "linker.lds",
    )?;
    let mut link = build.command("gcc");
    link.args([
        "-nostdlib",
        "-static",
        "-Wl,--build-id=none",
        "-T",
        "linker.lds",
        "-Wl,-n",
        "-o",
        "kernel.elf",
    ]);
    host::run(link.args(&objects))?;
    host::run(
        build
            .command("objcopy")
            .args(["-O", "elf32-i386", "kernel.elf", KERNEL]),
    )
    .map(drop)
}

/// The whole C part is one translation unit.
fn compile(build: &Build) -> Result<String> {
    let debug: &[&str] = if build.options.debug {
        sources::C_DEBUG
    } else {
        &[]
    };
    let mut all = String::new();
    for file in sources::C.iter().chain(debug) {
        all += &format!("#line 1 \"{file}\"\n{}", build.fixed(file)?);
    }
    build.write("kernel_all.c", all)?;
    build.preprocess(&["-CC"], Path::new("kernel_all.c"), "kernel_all.i")?;
    let mut gcc = build.command("gcc");
    gcc.args(config::C_FLAGS)
        .args(["-x", "c", "-c", "kernel_all.i", "-o", "kernel.o"]);
    host::run(&mut gcc)?;
    Ok("kernel.o".into())
}

fn assemble(build: &Build, file: &str) -> Result<String> {
    let stem = Path::new(file)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .context("an assembly file has a name")?;
    let (fixed, expanded, object) = (
        format!("{stem}.S"),
        format!("{stem}.s"),
        format!("{stem}.o"),
    );
    build.write(&fixed, build.fixed(file)?)?;
    build.preprocess(&["-CC"], Path::new(&fixed), &expanded)?;
    let mut gcc = build.command("gcc");
    gcc.args([
        "-Wa,--64",
        "-x",
        "assembler",
        "-c",
        &expanded,
        "-o",
        &object,
    ]);
    host::run(&mut gcc)?;
    Ok(object)
}
