//! The kernel's configuration, as its `autoconf.h` and as compiler flags.

/// Which kernel to build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Build with assertions and with messages on COM1. Such a kernel can be halted by any thread, so it serves only to debug the
    /// servers.
    pub debug: bool,
}

/// Settings without the prefix `CONFIG_`.
const RELEASE: &[(&str, &str)] = &[
    ("KERNEL_MASTER", "1"),
    ("ARCH_X86", "1"),
    ("ARCH_X86_64", "1"),
    ("PLAT_PC99", "1"),
    ("WORD_SIZE", "64"),
    ("HAVE_FPU", "1"),
    ("FPU_MAX_RESTORES_SINCE_SWITCH", "64"),
    ("TIMER_TICK_MS", "2"),
    // 10 ms. With one tick, a program that had just woken another lost the processor to it about
    // once in a hundred times before its next call, which on Linux it does not.
    ("TIME_SLICE", "5"),
    ("IRQ_IOAPIC", "1"),
    ("MAX_NUM_IOAPIC", "1"),
    ("XAPIC", "1"),
    // FXSAVE: without AVX glibc takes its SSE2 paths, which is all the register sets we carry hold.
    ("FXSAVE", "1"),
    ("XSAVE_SIZE", "512"),
    ("FASTPATH", "1"),
    ("NUM_DOMAINS", "1"),
    ("NUM_PRIORITIES", "256"),
    ("MAX_NUM_NODES", "1"),
    ("MAX_RMRR_ENTRIES", "32"),
    ("MAX_NUM_BOOTINFO_UNTYPED_CAPS", "230"),
    ("MAX_NUM_WORK_UNITS_PER_PREEMPTION", "100"),
    ("RETYPE_FAN_OUT_LIMIT", "256"),
    ("ROOT_CNODE_SIZE_BITS", "18"),
    ("KERNEL_STACK_BITS", "12"),
    // Not SYSCALL: with it the kernel itself takes every `syscall`, loses the user's rsp and mistakes some rdx values for its own calls.
    // This way a Linux system call is an invalid opcode, a fault with all registers intact.
    ("SYSENTER", "1"),
    // Not INST: with it a user's `wrfsbase` is invisible to the kernel and leaks into other threads.
    ("FSGSBASE_MSR", "1"),
    ("CACHE_LN_SZ", "64"),
    // Single steps and hardware breakpoints.
    ("HARDWARE_DEBUG_API", "1"),
    // There is no display, and asking QEMU for one makes it complain.
    ("MULTIBOOT_GRAPHICS_MODE_NONE", "1"),
    ("DOMAIN_SCHEDULE", "\"\""),
];

/// What a debug kernel adds.
const DEBUG: &[(&str, &str)] = &[
    ("PRINTING", "1"),
    ("DEBUG_BUILD", "1"),
    ("IRQ_REPORTING", "1"),
    ("USER_STACK_TRACE_LENGTH", "16"),
];

/// The text of `autoconf.h`.
pub fn autoconf(options: Options) -> String {
    let debug: &[_] = if options.debug { DEBUG } else { &[] };
    let mut text = String::from("#pragma once\n#define AUTOCONF_INCLUDED\n");
    for (name, value) in RELEASE.iter().chain(debug) {
        text += &format!("#define CONFIG_{name} {value}\n");
    }
    text
}

/// Definitions on the command line of every preprocessor run.
pub fn defines(options: Options) -> Vec<&'static str> {
    let mut defines = vec![
        "-DCYCLE_COUNTER",
        "-DPERF_COUNTER=CYCLE_COUNTER",
        "-DFASTPATH",
        "-DHAVE_AUTOCONF",
        "-DARCH_X86",
        "-DX86_64",
        "-DCONFIG_X86_64=y",
        "-D__KERNEL_64__",
        "-DKERNEL_64=y",
        "-D__X86_64__=y",
    ];
    if options.debug {
        defines.extend(["-DDEBUG", "-DCONFIG_DEBUG_BUILD"]);
    }
    defines
}

/// How the C translation unit is compiled.
pub const C_FLAGS: &[&str] = &[
    "-m64",
    "-fno-asynchronous-unwind-tables",
    "--std=c99",
    "-nostdlib",
    "-nostdinc",
    "-ffreestanding",
    "-w",
    "-fno-pic",
    // The kernel is many small functions: inlining more of them than the compiler would takes a tenth off what a message costs.
    "-O3",
    "-finline-limit=1000",
    "--param=early-inlining-insns=200",
    "--param=inline-unit-growth=300",
    "-mno-mmx",
    "-mno-sse",
    "-mno-sse2",
    "-mno-3dnow",
    "-mcmodel=kernel",
    "-fpreprocessed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_has_no_assertions_and_no_syscall_instruction() {
        let text = autoconf(Options::default());
        assert!(text.contains("#define CONFIG_SYSENTER 1\n"));
        assert!(!text.contains("CONFIG_SYSCALL"));
        assert!(!text.contains("DEBUG_BUILD"));
        assert!(!defines(Options::default()).contains(&"-DDEBUG"));
    }

    #[test]
    fn debug_adds_printing() {
        let text = autoconf(Options { debug: true });
        assert!(text.contains("#define CONFIG_PRINTING 1\n"));
        assert!(text.contains("#define CONFIG_DEBUG_BUILD 1\n"));
    }
}
