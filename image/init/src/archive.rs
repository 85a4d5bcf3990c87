//! The boot archive, which follows the root task's own program in memory.

use crate::bootinfo::BootInfo;
use abi::archive::{Archive, COMMAND_PATH, Entry, Kind};
use rt::cap::Page;
use rt::layout::PAGE;

unsafe extern "C" {
    /// The linker's: the program's first byte,
    static __executable_start: u8;
    /// and the one behind its last.
    static _end: u8;
}

/// The archive and its frames.
pub struct BootArchive {
    /// Its contents.
    pub contents: Archive<'static>,
    /// Its size in pages.
    pub pages: u32,
    first_frame: u64,
}

impl BootArchive {
    /// Finds it.
    ///
    /// # Panics
    /// If there is none: the image was composed wrongly.
    pub fn find(info: &BootInfo) -> BootArchive {
        let image = &raw const __executable_start as u64;
        let start = (&raw const _end as u64).next_multiple_of(PAGE);
        let frames = info.user_image_frames;
        let end = image + (frames.end - frames.start) * PAGE;
        // SAFETY: the kernel has mapped all frames of the image from its start on, and nothing
        // of the program itself lies behind `_end`.
        let bytes: &'static [u8] =
            unsafe { core::slice::from_raw_parts(start as *const u8, (end - start) as usize) };
        BootArchive {
            contents: Archive::parse(bytes).expect("the boot archive follows the root task"),
            pages: (bytes.len() as u64 / PAGE) as u32,
            first_frame: frames.start + (start - image) / PAGE,
        }
    }

    /// The frame of a page.
    pub fn frame(&self, page: u32) -> Page {
        Page::at(self.first_frame + page as u64)
    }

    /// The contents of a file that must be there.
    pub fn file(&self, path: &str) -> &'static [u8] {
        self.contents
            .contents(&self.entry(path))
            .expect("its contents are in the archive")
    }

    /// Where the command is, in bytes from the archive's start, and how long.
    pub fn command(&self) -> (u64, u64) {
        match self.entry(COMMAND_PATH).kind {
            Kind::File { offset, size } => (offset, size),
            _ => panic!("{COMMAND_PATH} is not a file"),
        }
    }

    fn entry(&self, path: &str) -> Entry<'static> {
        match self.contents.find(path) {
            Ok(Some(entry)) => entry,
            other => panic!("{path}: {other:?}"),
        }
    }
}
