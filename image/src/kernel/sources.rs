//! Which files of the kernel's source make up our kernel.
//!
//! This is what the source's Makefiles select for x86, 64 bit, pc99 and one core, written out: reading the list is easier than reading a
//! parser for those Makefiles, and the source is pinned.

/// The C files, in the order in which they are joined into the one translation unit the kernel is compiled as.
pub const C: &[&str] = &[
    "src/api/faults.c",
    "src/api/syscall.c",
    "src/arch/x86/64/c_traps.c",
    "src/arch/x86/64/kernel/elf.c",
    "src/arch/x86/64/kernel/ipi.c",
    "src/arch/x86/64/kernel/thread.c",
    "src/arch/x86/64/kernel/vspace.c",
    "src/arch/x86/64/machine/registerset.c",
    "src/arch/x86/64/model/smp.c",
    "src/arch/x86/64/model/statedata.c",
    "src/arch/x86/64/object/objecttype.c",
    "src/arch/x86/api/faults.c",
    "src/arch/x86/benchmark/benchmark.c",
    "src/arch/x86/c_traps.c",
    "src/arch/x86/idle.c",
    "src/arch/x86/kernel/apic.c",
    "src/arch/x86/kernel/boot.c",
    "src/arch/x86/kernel/boot_sys.c",
    "src/arch/x86/kernel/cmdline.c",
    "src/arch/x86/kernel/ept.c",
    "src/arch/x86/kernel/ipi.c",
    "src/arch/x86/kernel/smp_sys.c",
    "src/arch/x86/kernel/vspace.c",
    "src/arch/x86/kernel/x2apic.c",
    "src/arch/x86/kernel/xapic.c",
    "src/arch/x86/machine/breakpoint.c",
    "src/arch/x86/machine/cpu_identification.c",
    "src/arch/x86/machine/fpu.c",
    "src/arch/x86/machine/hardware.c",
    "src/arch/x86/machine/registerset.c",
    "src/arch/x86/model/statedata.c",
    "src/arch/x86/object/interrupt.c",
    "src/arch/x86/object/ioport.c",
    "src/arch/x86/object/iospace.c",
    "src/arch/x86/object/objecttype.c",
    "src/arch/x86/object/tcb.c",
    "src/arch/x86/object/vcpu.c",
    "src/assert.c",
    "src/benchmark/benchmark_track.c",
    "src/benchmark/benchmark_utilisation.c",
    "src/fastpath/fastpath.c",
    "src/inlines.c",
    "src/kernel/boot.c",
    "src/kernel/cspace.c",
    "src/kernel/faulthandler.c",
    "src/kernel/stack.c",
    "src/kernel/thread.c",
    "src/machine/fpu.c",
    "src/machine/io.c",
    "src/machine/registerset.c",
    "src/model/preemption.c",
    "src/model/statedata.c",
    "src/object/cnode.c",
    "src/object/endpoint.c",
    "src/object/interrupt.c",
    "src/object/notification.c",
    "src/object/objecttype.c",
    "src/object/tcb.c",
    "src/object/untyped.c",
    "src/plat/pc99/machine/acpi.c",
    "src/plat/pc99/machine/hardware.c",
    "src/plat/pc99/machine/intel-vtd.c",
    "src/plat/pc99/machine/io.c",
    "src/plat/pc99/machine/ioapic.c",
    "src/plat/pc99/machine/pic.c",
    "src/plat/pc99/machine/pit.c",
    "src/smp/lock.c",
    "src/string.c",
    "src/util.c",
    "src/config/default_domain.c",
];

/// The C file that only a debug kernel has.
pub const C_DEBUG: &[&str] = &["src/arch/x86/machine/capdl.c"];

/// The assembly files, in link order (`head` holds no first instruction: the linker script finds the entry by name).
pub const ASSEMBLY: &[&str] = &[
    "src/arch/x86/64/machine_asm.S",
    "src/arch/x86/64/traps.S",
    "src/arch/x86/64/head.S",
    "src/arch/x86/multiboot.S",
];

/// The linker script, before the preprocessor.
pub const LINKER_SCRIPT: &str = "src/plat/pc99/linker.lds";

/// Bit-field descriptions and the headers generated from them, relative to the source and to the build folder.
pub const BIT_FIELDS: &[(&str, &str)] = &[
    (
        "include/arch/x86/arch/object/structures.bf",
        "arch/object/structures",
    ),
    (
        "include/plat/pc99/plat/64/plat_mode/machine/hardware.bf",
        "plat/64/plat_mode/machine/hardware",
    ),
    (
        "include/64/mode/api/shared_types.bf",
        "64/mode/api/shared_types",
    ),
];

/// Descriptions of the invocations: the generator's option, the description, the header.
pub const INVOCATIONS: &[(Option<&str>, &str, &str)] = &[
    (
        Some("--arch"),
        "libsel4/arch_include/x86/interfaces/sel4arch.xml",
        "arch/api/invocation.h",
    ),
    (
        Some("--sel4_arch"),
        "libsel4/sel4_arch_include/x86_64/interfaces/sel4arch.xml",
        "arch/api/sel4_invocation.h",
    ),
    (
        None,
        "libsel4/include/interfaces/sel4.xml",
        "api/invocation.h",
    ),
];

/// The description of the system calls and its header.
pub const SYSCALLS: (&str, &str) = ("include/api/syscall.xml", "arch/api/syscall.h");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn seventy_different_c_files() {
        assert_eq!(C.len(), 70);
        assert_eq!(C.iter().collect::<HashSet<_>>().len(), 70);
    }
}
