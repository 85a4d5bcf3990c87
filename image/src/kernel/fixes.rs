//! Fixes to the kernel's source: exact-match edits, made on the way into the build. The source itself stays untouched.

use anyhow::{Result, bail};

/// One edit of one file.
#[derive(Clone, Copy, Debug)]
pub struct Fix {
    /// The name the documentation uses.
    pub name: &'static str,
    /// The file, relative to the kernel's source.
    pub file: &'static str,
    /// Text that must occur in the file exactly once.
    pub before: &'static str,
    /// What stands there afterwards.
    pub after: &'static str,
}

/// Every fix there is.
pub const FIXES: &[Fix] = &[
    VM_FAULT_ADDRESS,
    STALE_FAULT,
    DEBUG_STACK,
    DEBUG_STACK_ROOM,
    DEBUG_STACK_NAME,
    DEBUG_STACK_TASK_STATE,
    DEBUG_STACK_GATE,
    DEBUG_STACK_SYSENTER,
    SYSENTER_FLAGS,
    EXECUTE_DISABLE,
    EXECUTE_DISABLE_PAGE,
    USER_FLAGS,
    DEBUG_STATUS,
    EIGHT_BYTES,
];

/// P1. The kernel keeps the address of a page fault in 32 bits, so a fault at 0x1234567000 is reported at 0x34567000. A task's stack and
/// libraries lie far above 4 GiB, and the address decides which page is mapped and what `si_addr` says.
const VM_FAULT_ADDRESS: Fix = Fix {
    name: "P1",
    file: "src/arch/x86/kernel/vspace.c",
    before: "\
    uint32_t addr;
    uint32_t fault;

    addr = getFaultAddr();
",
    after: "\
    word_t addr;
    uint32_t fault;

    addr = getFaultAddr();
",
};

/// P3. A thread whose fault is still queued at the endpoint has its fault recorded in `tcbFault`; cancelling that send leaves the record,
/// and the thread's next `seL4_Call` is then delivered as that old fault instead of as its own message. The other two ways out of a
/// pending fault (reply, and cancelling a wait for a reply) already reset it.
const STALE_FAULT: Fix = Fix {
    name: "P3",
    file: "src/object/endpoint.c",
    before: "\
            endpoint_ptr_set_state(epptr, EPState_Idle);
        }

        setThreadState(tptr, ThreadState_Inactive);
        break;
    }

    case ThreadState_BlockedOnNotification:
",
    after: "\
            endpoint_ptr_set_state(epptr, EPState_Idle);
        }

        tptr->tcbFault = seL4_Fault_NullFault_new();
        setThreadState(tptr, ThreadState_Inactive);
        break;
    }

    case ThreadState_BlockedOnNotification:
",
};

/// P6. A debug exception (#DB) that is taken inside the kernel ends the machine, and any program can bring one about:
///
/// - `sysenter` does not clear TF, so a thread that sets TF with `popf` and executes `sysenter` has a #DB at the kernel's first
///   instruction. RSP is 0 there (IA32_SYSENTER_ESP is never set in 64-bit mode), and the kernel's code for the case runs on that stack.
/// - An instruction that is stepped, or that faults, and also touches watched memory, has its #DB for the memory in the handler of its
///   other exception, before that handler's first instruction (QEMU; the processor does the like where `mov ss` delays the exception).
///   Every gate uses IST 1, so the second frame takes the place of the first, and what the thread was at is lost.
///
/// So #DB gets a gate without IST: from a program it comes to a stack of its own (RSP0 of the task state, [`DEBUG_STACK_TASK_STATE`]), in
/// the kernel to whatever stack that is on, below what is in use; there is room below the stack of the other exceptions
/// ([`DEBUG_STACK_ROOM`]), and `sysenter` sets one ([`DEBUG_STACK_SYSENTER`]). In the kernel it clears TF in its frame and returns: nothing
/// of the kernel's own is ever debugged, and DR6, where all bits of both exceptions add up, is read by the handler of the first. From a
/// program it moves its frame to where the ordinary entry looks for it.
const DEBUG_STACK: Fix = Fix {
    name: "P6",
    file: "src/arch/x86/64/traps.S",
    before: "INT_HANDLER_WITHOUT_ERR_CODE(01,1)\n",
    after: "\
#define INT_01_ENTRY                                \\
    testb   $3, 8(%rsp);        /* CPL of CS */     \\
    jnz     4f;                                     \\
    andq    $~0x100, 16(%rsp);  /* TF in RFLAGS */  \\
    iretq;                                          \\
4:  popq    x64KSIRQStack + 8;  /* RIP */           \\
    popq    x64KSIRQStack + 16;                     \\
    popq    x64KSIRQStack + 24;                     \\
    popq    x64KSIRQStack + 32;                     \\
    popq    x64KSIRQStack + 40; /* SS */            \\
    leaq    x64KSIRQStack + 8, %rsp;                \\
    pushq   $0x0
INT_HANDLER_COMMON(01,INT_01_ENTRY,1)

.section .bss
.balign 16
.skip 64        # below the frame of an exception: a #DB at its handler's first instruction
.global x64KSIRQStack
x64KSIRQStack:
.skip 48
.balign 16
.skip 128       # a #DB, and one at its handler's first instruction
.global x64KSDebugStackTop
x64KSDebugStackTop:
.section .text
",
};

/// The stack of all exceptions is defined there, with room below it.
const DEBUG_STACK_ROOM: Fix = Fix {
    name: "P6",
    file: "src/arch/x86/64/model/statedata.c",
    before: "UP_STATE_DEFINE(word_t, x64KSIRQStack[IRQ_STACK_SIZE] ALIGN(16));\n",
    after: "",
};

/// The stack of debug exceptions from programs: its name ...
const DEBUG_STACK_NAME: Fix = Fix {
    name: "P6",
    file: "src/arch/x86/64/kernel/vspace.c",
    before: "BOOT_CODE void\ninit_tss(tss_t *tss)\n",
    after: "extern char x64KSDebugStackTop[];\n\nBOOT_CODE void\ninit_tss(tss_t *tss)\n",
};

/// ... and its place in the task state.
const DEBUG_STACK_TASK_STATE: Fix = Fix {
    name: "P6",
    file: "src/arch/x86/64/kernel/vspace.c",
    before: "        0, 0        /* rsp 0 */\n    );\n",
    after: "\
        (word_t)x64KSDebugStackTop >> 32, (word_t)x64KSDebugStackTop & 0xffffffff
    );
",
};

/// Their gate.
const DEBUG_STACK_GATE: Fix = Fix {
    name: "P6",
    file: "src/arch/x86/64/kernel/vspace.c",
    before: "                         1,                                  /* ist */\n",
    after: "                         interrupt != int_debug,             /* ist */\n",
};

/// The stack that the kernel's first instructions after `sysenter` are on.
const DEBUG_STACK_SYSENTER: Fix = Fix {
    name: "P6",
    file: "src/arch/x86/machine/hardware.c",
    before: "    x86_wrmsr(IA32_SYSENTER_EIP_MSR, (uint64_t)(word_t)&handle_syscall);\n",
    after: "\
    x86_wrmsr(IA32_SYSENTER_EIP_MSR, (uint64_t)(word_t)&handle_syscall);
    {
        extern char x64KSDebugStackTop[];
        x86_wrmsr(IA32_SYSENTER_ESP_MSR, (word_t)x64KSDebugStackTop);
    }
",
};

/// P8. `sysenter` leaves the program's flags in force in the kernel. With NT set its next `iretq` is a general protection fault, so two
/// instructions of any program end the machine; with DF set its string instructions run backwards. The flags are saved already: the kernel
/// goes on with none.
const SYSENTER_FLAGS: Fix = Fix {
    name: "P8",
    file: "src/arch/x86/64/traps.S",
    before: "    orq     $0x200, (%rsp)  # set interrupt bit in save RFLAGS\n",
    after: "\
    orq     $0x200, (%rsp)  # set interrupt bit in save RFLAGS
    pushq   $2              # (to where R15 is going to be)
    popfq
",
};

/// P9. Writing a thread's registers clears TF, NT, RF, AC and ID, so a program loses them when it is stopped. All of them are its own
/// affair: RF makes it pass an instruction breakpoint that it stands at, and TF is what it may set by `popf` at any time.
const USER_FLAGS: Fix = Fix {
    name: "P9",
    file: "src/arch/x86/machine/registerset.c",
    before: "\
        v |=  FLAGS_IF;
        v &= ~FLAGS_TF;
        /* remove any other bits that shouldn't be set */
        v &=  FLAGS_MASK;
",
    after: "\
        v |=  FLAGS_IF;
        /* remove any other bits that shouldn't be set */
        v &=  FLAGS_MASK | BIT(14) | BIT(16) | BIT(18) | BIT(21);
",
};

/// P10. A debug exception is reported as one breakpoint or one step, and what else DR6 says is lost or is left to the next one. The message
/// of a breakpoint now has all of it as its address, whose place can be known from the number. Of breakpoints only those count that
/// are enabled, and those for execution only where nothing else was hit: where the instruction before was stepped or touched watched
/// memory they come when the thread goes on, as the processor does it. Such a breakpoint sets RF, so that the thread passes it
/// then; a step does not, for the breakpoint at the next instruction is yet to come.
const DEBUG_STATUS: Fix = Fix {
    name: "P10",
    file: "src/arch/x86/machine/breakpoint.c",
    before: "\
        active_bp = getAndResetActiveBreakpoint(context);
        if (active_bp.bp_num >= 0) {
            current_fault = seL4_Fault_DebugException_new(active_bp.vaddr,
                                                          active_bp.bp_num,
                                                          active_bp.reason);
        } else {
            single_step_info = testAndResetSingleStepException(context);
",
    after: "\
        word_t dr6 = readDr6Reg();
        word_t dr7 = readDr7Context(context);
        word_t status = dr6 & X86_DEBUG_DR6_SINGLE_STEP_FLAG;
        word_t executions = 0;
        int bp;

        (void)active_bp;
        for (bp = 0; bp < X86_DEBUG_BP_N_REGS; bp++) {
            if ((dr6 & BIT(bp)) && (dr7 & (3u << (2 * bp)))) {
                if (dr7 & (3u << (16 + 4 * bp))) {
                    status |= BIT(bp);
                } else {
                    executions |= BIT(bp);
                }
            }
        }
        if (status == 0 && executions != 0) {
            status = executions;
            context->tcbContext.registers[FLAGS] |= X86_DEBUG_EFLAGS_RESUME_FLAG;
        }
        if (status & X86_DEBUG_DR6_BP_MASK) {
            bitwiseAndDr6Reg(~(X86_DEBUG_DR6_BP_MASK | X86_DEBUG_DR6_SINGLE_STEP_FLAG));
            current_fault = seL4_Fault_DebugException_new(status, 0, seL4_DataBreakpoint);
        } else {
            bitwiseAndDr6Reg(~X86_DEBUG_DR6_BP_MASK);
            single_step_info = testAndResetSingleStepException(context);
            context->tcbContext.registers[FLAGS] &= ~X86_DEBUG_EFLAGS_RESUME_FLAG;
",
};

/// P11. Breakpoints of eight bytes are refused but on three models of processor; every one that runs in 64-bit mode has them.
const EIGHT_BYTES: Fix = Fix {
    name: "P11",
    file: "src/arch/x86/machine/breakpoint.c",
    before: "static bool_t byte8_bps_supported = false;\n",
    after: "static bool_t byte8_bps_supported = true;\n",
};

/// P7. The kernel leaves the processor's execute-disable off, so every readable page can be executed: a jump into data runs on there,
/// where Linux faults at its first instruction, and the servers' own heaps are executable too. The bit is in every page table entry the
/// kernel makes, and always 0. This turns the feature on (EFER.NXE, with the bit for long mode) ...
const EXECUTE_DISABLE: Fix = Fix {
    name: "P7",
    file: "src/arch/x86/64/head.S",
    before: "    orl $0x100, %eax\n",
    after: "    orl $0x900, %eax\n",
};

/// ... and takes the bit of a 4 KiB page from the first attribute bit that has no meaning yet, so that a page without it is as it was.
const EXECUTE_DISABLE_PAGE: Fix = Fix {
    name: "P7",
    file: "src/arch/x86/64/kernel/vspace.c",
    before: "\
makeUserPTE(paddr_t paddr, vm_attributes_t vm_attr, vm_rights_t vm_rights)
{
    return pte_new(
               0,                                              /* xd                   */
",
    after: "\
makeUserPTE(paddr_t paddr, vm_attributes_t vm_attr, vm_rights_t vm_rights)
{
    return pte_new(
               (vm_attr.words[0] >> 3) & 1,                    /* xd                   */
",
};

/// Makes every fix that concerns `file` in its `text`.
///
/// Fails if a fix does not match exactly once: then the source is not the one the fix was written for.
pub fn apply(file: &str, text: String) -> Result<String> {
    apply_from(FIXES, file, text)
}

fn apply_from(fixes: &[Fix], file: &str, mut text: String) -> Result<String> {
    for fix in fixes.iter().filter(|fix| fix.file == file) {
        match text.matches(fix.before).count() {
            1 => text = text.replacen(fix.before, fix.after, 1),
            n => bail!(
                "fix {} of the kernel source matches {n} times in {file}, not once",
                fix.name
            ),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::sources;

    const ONE: &[Fix] = &[Fix {
        name: "T",
        file: "a.c",
        before: "old\n",
        after: "new\n",
    }];

    #[test]
    fn one_match_is_replaced() {
        assert_eq!(
            apply_from(ONE, "a.c", "x\nold\ny\n".into()).unwrap(),
            "x\nnew\ny\n"
        );
    }

    #[test]
    fn no_match_is_refused() {
        let error = apply_from(ONE, "a.c", "x\n".into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "fix T of the kernel source matches 0 times in a.c, not once"
        );
    }

    #[test]
    fn two_matches_are_refused() {
        assert!(apply_from(ONE, "a.c", "old\nold\n".into()).is_err());
    }

    #[test]
    fn other_files_are_left_alone() {
        assert_eq!(
            apply_from(ONE, "b.c", "old\nold\n".into()).unwrap(),
            "old\nold\n"
        );
    }

    #[test]
    fn every_fix_is_for_a_file_that_is_built() {
        for fix in FIXES {
            assert!(
                sources::C.contains(&fix.file) || sources::ASSEMBLY.contains(&fix.file),
                "{}",
                fix.file
            );
        }
    }
}
