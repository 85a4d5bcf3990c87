//! What gdb can ask, as types: every packet is read here and nowhere else.

mod file;
mod memory;
mod point;
mod query;
mod resume;
mod setting;
mod words;

use crate::packet::{ThreadId, hex};

pub use file::FileRequest;
pub use memory::Range;
pub use point::{Point, PointKind};
pub use query::{Query, Transfer};
pub use resume::{Action, Directive};
pub use setting::{Catch, Setting, Signals};
use words::Words;

/// A packet, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `!`: the connection outlives the program.
    Extended,
    /// `?`: why everything stands still.
    Why,
    /// `g`
    ReadRegisters,
    /// `G`
    WriteRegisters(Vec<u8>),
    /// `p`
    ReadRegister(usize),
    /// `P`
    WriteRegister(usize, Vec<u8>),
    /// `m`
    ReadMemory(Range),
    /// `M` and `X`
    WriteMemory(u64, Vec<u8>),
    /// `Hg`: what following requests are about.
    Select(ThreadId),
    /// `Hc`: whom `c` and `s` resume.
    SelectResumed(ThreadId),
    /// `T`
    Alive(ThreadId),
    /// `Z`
    Insert(Point),
    /// `z`
    Remove(Point),
    /// `vCont`
    Resume(Vec<Directive>),
    /// `c`, `C`, `s` and `S`: what the selected thread does.
    ResumeSelected(Action),
    /// `vCont?`
    ResumeActions,
    /// `vCtrlC`
    Interrupt,
    /// `vStopped`: the next stop that a notification told of.
    NextStop,
    /// `vRun`
    Run {
        /// None for the program that ran before.
        program: Option<Vec<u8>>,
        /// Without the program's name for itself.
        args: Vec<Vec<u8>>,
    },
    /// `vAttach`
    Attach(i32),
    /// `vKill`, and `k` without a process
    Kill(Option<i32>),
    /// `D`
    Detach(Option<i32>),
    /// `R`
    Restart,
    /// `vMustReplyEmpty`: how gdb learns what an unknown packet gets.
    Nothing,
    /// `vFile`
    File(FileRequest),
    /// `q`
    Query(Query),
    /// `Q`
    Set(Setting),
}

/// Why a packet is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// Nothing here knows it: the answer is an empty packet.
    Unsupported,
    /// It is known, but this one makes no sense.
    Malformed,
}

/// Takes the value that parsing found.
fn need<T>(value: Option<T>) -> Result<T, Reject> {
    value.ok_or(Reject::Malformed)
}

impl Request {
    /// Reads a packet's payload.
    ///
    /// # Errors
    /// [`Reject`].
    pub fn parse(packet: &[u8]) -> Result<Request, Reject> {
        let (&letter, rest) = packet.split_first().ok_or(Reject::Unsupported)?;
        let bare = |request: Request| match rest {
            [] => Ok(request),
            _ => Err(Reject::Malformed),
        };
        match letter {
            b'!' => bare(Request::Extended),
            b'?' => bare(Request::Why),
            b'g' => bare(Request::ReadRegisters),
            b'G' => need(hex::decode(rest)).map(Request::WriteRegisters),
            b'p' => need(hex::number(rest)).map(|n| Request::ReadRegister(n as usize)),
            b'P' => need(write_register(rest)),
            b'm' => need(Range::parse(rest)).map(Request::ReadMemory),
            b'M' => need(memory::write_digits(rest)),
            b'X' => need(memory::write_binary(rest)),
            b'H' => match rest.split_first() {
                Some((b'g', id)) => need(ThreadId::parse(id)).map(Request::Select),
                Some((b'c', id)) => need(ThreadId::parse(id)).map(Request::SelectResumed),
                _ => Err(Reject::Unsupported),
            },
            b'T' => need(ThreadId::parse(rest)).map(Request::Alive),
            b'Z' => Point::parse(rest).map(Request::Insert),
            b'z' => Point::parse(rest).map(Request::Remove),
            b'c' | b'C' | b's' | b'S' => resume::selected(letter, rest),
            b'D' => match rest {
                [] => Ok(Request::Detach(None)),
                [b';', pid @ ..] => need(hex::signed(pid)).map(|pid| Request::Detach(Some(pid))),
                _ => Err(Reject::Malformed),
            },
            b'k' => Ok(Request::Kill(None)),
            b'R' => Ok(Request::Restart),
            b'v' => verbose(rest),
            b'q' => Query::parse(rest).map(Request::Query),
            b'Q' => Setting::parse(rest).map(Request::Set),
            _ => Err(Reject::Unsupported),
        }
    }
}

fn write_register(rest: &[u8]) -> Option<Request> {
    let (number, value) = Words::new(rest).pair(b'=')?;
    Some(Request::WriteRegister(
        hex::number(number)? as usize,
        hex::decode(value)?,
    ))
}

fn verbose(rest: &[u8]) -> Result<Request, Reject> {
    let name = rest.split(|byte| matches!(byte, b';' | b':')).next();
    let name = name.unwrap_or_default();
    let args = rest.get(name.len() + 1..).unwrap_or_default();
    match name {
        b"Cont?" => Ok(Request::ResumeActions),
        b"Cont" => need(resume::directives(args)).map(Request::Resume),
        b"CtrlC" => Ok(Request::Interrupt),
        b"Stopped" => Ok(Request::NextStop),
        b"Run" => need(run(args)),
        b"Attach" => need(hex::signed(args)).map(Request::Attach),
        b"Kill" => need(hex::signed(args)).map(|pid| Request::Kill(Some(pid))),
        b"MustReplyEmpty" => Ok(Request::Nothing),
        b"File" => FileRequest::parse(args).map(Request::File),
        _ => Err(Reject::Unsupported),
    }
}

fn run(args: &[u8]) -> Option<Request> {
    let mut words = args.split(|byte| *byte == b';').map(hex::decode);
    let program = words.next()??;
    Some(Request::Run {
        program: (!program.is_empty()).then_some(program),
        args: words.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(packet: &str) -> Result<Request, Reject> {
        Request::parse(packet.as_bytes())
    }

    #[test]
    fn plain_requests() {
        assert_eq!(parsed("?"), Ok(Request::Why));
        assert_eq!(parsed("p10"), Ok(Request::ReadRegister(16)));
        assert_eq!(
            parsed("P10=0100"),
            Ok(Request::WriteRegister(16, vec![1, 0]))
        );
        assert_eq!(parsed("D;2a"), Ok(Request::Detach(Some(42))));
        assert_eq!(parsed("D"), Ok(Request::Detach(None)));
        assert_eq!(parsed("Hgp1.2"), Ok(Request::Select(ThreadId::one(1, 2))));
        assert_eq!(parsed("vKill;1f"), Ok(Request::Kill(Some(31))));
        assert_eq!(parsed("vMustReplyEmpty"), Ok(Request::Nothing));
    }

    #[test]
    fn programs_to_run() {
        let run = |program: Option<&[u8]>, args: &[&[u8]]| {
            Ok(Request::Run {
                program: program.map(<[u8]>::to_vec),
                args: args.iter().map(|arg| arg.to_vec()).collect(),
            })
        };
        assert_eq!(parsed("vRun;2f61;62;"), run(Some(b"/a"), &[b"b", b""]));
        assert_eq!(parsed("vRun;"), run(None, &[]));
        assert_eq!(parsed("vRun;2"), Err(Reject::Malformed));
    }

    #[test]
    fn what_nobody_knows_is_unsupported_and_what_makes_no_sense_malformed() {
        for unknown in ["", "A1", "vWhat", "qWhat", "QWhat:1", "bs", "Z9,1,1", "Hx1"] {
            assert_eq!(parsed(unknown), Err(Reject::Unsupported), "{unknown}");
        }
        for wrong in [
            "p", "pxx", "P1", "m1", "mx,1", "M1,2:0", "Hgx", "D;", "Z0,x,1", "vCont;q",
        ] {
            assert_eq!(parsed(wrong), Err(Reject::Malformed), "{wrong}");
        }
    }

    /// The words that packets consist of, and noise between them.
    fn packets() -> impl Strategy<Value = Vec<u8>> {
        let words = [
            "m",
            "M",
            "X",
            "G",
            "p",
            "P",
            "Z",
            "z",
            "H",
            "T",
            "D",
            "c",
            "S",
            "vCont",
            "vCont?",
            "vRun",
            "vAttach",
            "vFile:",
            "open:",
            "pread:",
            "pwrite:",
            "fstat:",
            "readlink:",
            "setfs:",
            "qSupported",
            "qXfer:",
            "features",
            "siginfo",
            ":read:",
            ":write:",
            "qSearch:memory:",
            "qCRC:",
            "qRcmd,",
            "qAttached",
            "qSymbol:",
            "qGetTLSAddr:",
            "qMemoryRegionInfo:",
            "QPassSignals:",
            "QCatchSyscalls:",
            "QNonStop:",
            "QEnvironmentHexEncoded:",
            "QSetWorkingDir:",
            "QThreadEvents:",
            ";",
            ":",
            ",",
            "=",
            ".",
            "p1.",
            "-1",
            "0",
            "1",
            "2f",
            "ffffffffffffffff",
        ];
        let word = prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
        let noise = proptest::collection::vec(any::<u8>(), 0..4);
        let piece = prop_oneof![6 => word, 1 => noise];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(crate::packet::repeatable(20_000))]
        #[test]
        fn no_packet_panics(packet in packets()) {
            let _ = Request::parse(&packet);
        }
    }
}
