//! Kernel build, boot archive, QEMU command line.
