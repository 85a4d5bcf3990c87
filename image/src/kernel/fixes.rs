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
    SYSENTER_TRAP_FLAG,
    EXECUTE_DISABLE,
    EXECUTE_DISABLE_PAGE,
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

/// P6. `sysenter` does not clear TF, so a thread that sets TF with `popf` and executes `sysenter` takes a #DB on the kernel's first
/// instruction. The kernel knows the case, but its code for it runs on the interrupted stack, and `sysenter` has loaded RSP with 0 there
/// (IA32_SYSENTER_ESP is never set in 64-bit mode): pushing faults, and any thread can hang the machine.
///
/// The interrupt stack is another matter: every gate uses IST 1, so the CPU has already written its frame (RIP, CS, RFLAGS, RSP, SS) to
/// good memory. This entry clears TF in that frame and returns, needing no other stack and no register. The user's flags are saved by
/// `handle_syscall` afterwards, without TF; the debug API sets it again on the way out for a thread that is being stepped.
///
/// A #DB in the kernel that is not a single step, like one from user mode, goes on to the ordinary entry. `iretq` restores the flags the
/// tests change.
const SYSENTER_TRAP_FLAG: Fix = Fix {
    name: "P6",
    file: "src/arch/x86/64/traps.S",
    before: "INT_HANDLER_WITHOUT_ERR_CODE(01,1)\n",
    after: "\
#define INT_01_ENTRY                                \\
    testb   $3, 8(%rsp);        /* CPL of CS */     \\
    jnz     4f;                                     \\
    testl   $0x100, 16(%rsp);   /* TF in RFLAGS */  \\
    jz      4f;                                     \\
    andq    $~0x100, 16(%rsp);                      \\
    iretq;                                          \\
4:  pushq   $0x0
INT_HANDLER_COMMON(01,INT_01_ENTRY,1)
",
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
