//! The target description (gdb manual, "Target Descriptions"), from the table.

use std::fmt::Write;

use super::table::ALL;

/// The types that are not gdb's own.
const VECTOR: &str = r#"<vector id="v4f" type="ieee_single" count="4"/>
<vector id="v2d" type="ieee_double" count="2"/>
<vector id="v16i8" type="int8" count="16"/>
<vector id="v8i16" type="int16" count="8"/>
<vector id="v4i32" type="int32" count="4"/>
<vector id="v2i64" type="int64" count="2"/>
<union id="vec128">
<field name="v4_float" type="v4f"/>
<field name="v2_double" type="v2d"/>
<field name="v16_int8" type="v16i8"/>
<field name="v8_int16" type="v8i16"/>
<field name="v4_int32" type="v4i32"/>
<field name="v2_int64" type="v2i64"/>
<field name="uint128" type="uint128"/>
</union>
"#;

/// Names and bits of `eflags`.
const EFLAGS: &[(&str, u32)] = &[
    ("CF", 0),
    ("", 1),
    ("PF", 2),
    ("AF", 4),
    ("ZF", 6),
    ("SF", 7),
    ("TF", 8),
    ("IF", 9),
    ("DF", 10),
    ("OF", 11),
    ("NT", 14),
    ("RF", 16),
    ("VM", 17),
    ("AC", 18),
    ("VIF", 19),
    ("VIP", 20),
    ("ID", 21),
];

/// Names and bits of `mxcsr`.
const MXCSR: &[(&str, u32)] = &[
    ("IE", 0),
    ("DE", 1),
    ("ZE", 2),
    ("OE", 3),
    ("UE", 4),
    ("PE", 5),
    ("DAZ", 6),
    ("IM", 7),
    ("DM", 8),
    ("ZM", 9),
    ("OM", 10),
    ("UM", 11),
    ("PM", 12),
    ("FZ", 15),
];

/// `target.xml`.
pub fn target_description() -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target>\n\
         <architecture>i386:x86-64</architecture>\n<osabi>GNU/Linux</osabi>\n",
    );
    let mut feature = "";
    for (number, register) in ALL.iter().enumerate() {
        if register.feature != feature {
            if !feature.is_empty() {
                xml.push_str("</feature>\n");
            }
            feature = register.feature;
            let _ = writeln!(xml, "<feature name=\"{feature}\">");
            match feature {
                "org.gnu.gdb.i386.core" => flags(&mut xml, "i386_eflags", EFLAGS),
                "org.gnu.gdb.i386.sse" => {
                    xml.push_str(VECTOR);
                    flags(&mut xml, "i386_mxcsr", MXCSR);
                }
                _ => {}
            }
        }
        let group = match register.name {
            "fctrl" | "fstat" | "ftag" | "fiseg" | "fioff" | "foseg" | "fooff" | "fop" => {
                " group=\"float\""
            }
            "mxcsr" => " group=\"vector\"",
            "orig_rax" => " group=\"system\"",
            _ => "",
        };
        let _ = writeln!(
            xml,
            "<reg name=\"{}\" bitsize=\"{}\" type=\"{}\" regnum=\"{number}\"{group}/>",
            register.name,
            register.size * 8,
            register.kind
        );
    }
    xml.push_str("</feature>\n</target>\n");
    xml
}

fn flags(xml: &mut String, name: &str, bits: &[(&str, u32)]) {
    let _ = writeln!(xml, "<flags id=\"{name}\" size=\"4\">");
    for (name, bit) in bits {
        let _ = writeln!(
            xml,
            "<field name=\"{name}\" start=\"{bit}\" end=\"{bit}\"/>"
        );
    }
    xml.push_str("</flags>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_register_is_described_once_and_features_are_closed() {
        let xml = target_description();
        for register in ALL {
            let name = format!("<reg name=\"{}\"", register.name);
            assert_eq!(xml.matches(&name).count(), 1, "{name}");
        }
        assert_eq!(xml.matches("<feature ").count(), 4);
        assert_eq!(xml.matches("</feature>").count(), 4);
    }
}
