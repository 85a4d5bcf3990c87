//! The kernel builds, and its numbers are the ones the servers are written for.

use std::fs;
use std::path::Path;
use std::process::Command;

use image::kernel::{self, Options};

/// Invocation numbers as the kernel's compiler sees them.
fn invocation_numbers(headers: &Path, names: &[&str]) -> Vec<u32> {
    let mut program = String::from("#include \"autoconf.h\"\n#include \"arch/api/invocation.h\"\n");
    for name in names {
        program += &format!("number {name}_is = {name};\n");
    }
    let scratch = tempfile::tempdir().unwrap();
    let (source, object) = (
        scratch.path().join("numbers.c"),
        scratch.path().join("numbers.s"),
    );
    fs::write(&source, format!("typedef unsigned number;\n{program}")).unwrap();
    let mut gcc = Command::new("gcc");
    gcc.arg("-I")
        .arg(headers)
        .args(["-S", "-o"])
        .arg(&object)
        .arg(&source);
    image::host::run(&mut gcc).unwrap();
    let assembly = fs::read_to_string(object).unwrap();
    let value = |name: &&str| {
        let (_, after) = assembly
            .split_once(&format!("{name}_is:\n\t.long\t"))
            .expect("the value follows its label");
        after.lines().next().unwrap().parse().unwrap()
    };
    names.iter().map(value).collect()
}

#[test]
fn release_and_debug_kernels_have_the_same_invocation_numbers() {
    for debug in [false, true] {
        let kernel = kernel::build(&Options { debug }).unwrap();
        assert_eq!(
            &fs::read(&kernel.elf).unwrap()[..5],
            b"\x7fELF\x01",
            "a 32-bit ELF file"
        );
        let names = [
            "UntypedRetype",
            "TCBWriteRegisters",
            "TCBConfigureSingleStepping",
            "CNodeRevoke",
            "X86PageMap",
            "X86IOPortIn8",
        ];
        assert_eq!(
            invocation_numbers(&kernel.headers, &names),
            [1, 3, 17, 18, 41, 48]
        );
    }
}

#[test]
fn a_second_build_is_found_and_not_made() {
    let first = kernel::build(&Options::default()).unwrap();
    let made = fs::metadata(&first.elf).unwrap().modified().unwrap();
    let second = kernel::build(&Options::default()).unwrap();
    assert_eq!(first.elf, second.elf);
    assert_eq!(made, fs::metadata(&second.elf).unwrap().modified().unwrap());
}
