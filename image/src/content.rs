//! What every boot archive holds: the servers, busybox, our tools, and the folders programs expect.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::archive::Builder;
use crate::machine::{Binaries, ENGINES};
use crate::{elf, host};

/// The busybox of this machine, a static program.
pub const BUSYBOX: &str = "/bin/busybox";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP: &str = "root:x:0:\nnogroup:x:65534:\n";

/// An archive with everything but the command and the files of one run.
pub fn standard(binaries: &Binaries) -> Result<Builder> {
    let mut archive = Builder::new();
    for (path, mode) in [
        ("/dev", 0o755),
        ("/proc", 0o555),
        ("/root", 0o700),
        ("/tmp", 0o1777),
    ] {
        archive.dir(path, mode)?;
    }
    archive.file("/etc/passwd", 0o644, PASSWD.into())?;
    archive.file("/etc/group", 0o644, GROUP.into())?;
    busybox(&mut archive)?;
    for (name, path) in &binaries.tools {
        archive.file(&format!("/bin/{name}"), 0o755, read(path)?)?;
    }
    for name in ENGINES {
        archive.symlink(&format!("/bin/{name}"), "/bin/engines")?;
    }
    for (name, path) in &binaries.servers {
        let server =
            elf::without_sections(&read(path)?).with_context(|| path.display().to_string())?;
        archive.file(&format!("/boot/{name}"), 0o700, server)?;
    }
    Ok(archive)
}

/// Busybox, and a symbolic link to it for every program it can be.
fn busybox(archive: &mut Builder) -> Result<()> {
    for applet in host::output(BUSYBOX, ["--list"])?.lines() {
        archive.symlink(&format!("/bin/{applet}"), BUSYBOX)?;
    }
    archive.file("/bin/busybox", 0o755, read(Path::new(BUSYBOX))?)
}

/// A file of this machine, with its name in the error.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}
