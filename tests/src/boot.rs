//! What a machine starts with: programs in a boot archive, and a command.

use crate::asm::Prog;
use crate::sim::Page;
use image::archive::{Builder, encode_command};
use procmgr::machine::PAGE;
use std::rc::Rc;

/// A boot archive, ready to be used by any number of worlds.
#[derive(Clone)]
pub struct Boot {
    /// Its pages.
    pub pages: Rc<Vec<Page>>,
    /// The encoded command.
    pub command: Rc<Vec<u8>>,
}

impl Boot {
    /// An archive with these programs in /bin, of which the first is started.
    pub fn new(programs: Vec<(&str, Prog)>) -> Boot {
        Boot::with_files(programs, &[])
    }

    /// The same with further files.
    pub fn with_files(programs: Vec<(&str, Prog)>, files: &[(&str, u32, &[u8])]) -> Boot {
        let mut builder = Builder::new();
        let first = format!("/bin/{}", programs[0].0);
        for (name, program) in programs {
            let path = format!("/bin/{name}");
            builder
                .file(&path, 0o755, program.into_elf())
                .expect("a good path");
        }
        for (path, mode, contents) in files {
            builder
                .file(path, *mode, contents.to_vec())
                .expect("a good path");
        }
        let command =
            encode_command(&first, std::slice::from_ref(&first), &[]).expect("a short command");
        builder
            .file(abi::archive::COMMAND_PATH, 0o444, command.clone())
            .expect("a good path");
        let bytes = builder.build().expect("a small archive");
        let pages = bytes
            .chunks_exact(PAGE as usize)
            .map(|page| *bytemuck::from_bytes(&AlignedPage::of(page).0))
            .collect();
        Boot {
            pages: Rc::new(pages),
            command: Rc::new(command),
        }
    }
}

#[repr(align(8))]
struct AlignedPage([u8; PAGE as usize]);

impl AlignedPage {
    fn of(bytes: &[u8]) -> AlignedPage {
        AlignedPage(bytes.try_into().expect("a whole page"))
    }
}
