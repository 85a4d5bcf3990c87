//! RLIMIT_FSIZE.

use crate::host::{Host, Port};
use abi::Errno;
use abi::linux::general::SIGXFSZ;

impl<H: Host> Port<'_, H> {
    /// How many bytes from `at` on a file may get: EFBIG and SIGXFSZ where it may get none.
    pub fn file_room(&mut self, at: u64) -> Result<u64, Errno> {
        let limit = self.who.told.max_file_size;
        if at >= limit {
            self.signal(SIGXFSZ as u8);
            return Err(Errno::EFBIG);
        }
        Ok(limit - at)
    }

    /// EFBIG and SIGXFSZ for a file that would become larger than it may be.
    pub fn within_file_limit(&mut self, size: u64) -> Result<(), Errno> {
        if size > self.who.told.max_file_size {
            self.signal(SIGXFSZ as u8);
            return Err(Errno::EFBIG);
        }
        Ok(())
    }
}
