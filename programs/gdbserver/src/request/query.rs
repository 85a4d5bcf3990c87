//! `q`: questions.

use super::memory::Range;
use super::words::Words;
use super::{Reject, need};
use crate::packet::{ThreadId, hex};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// `qSupported`: what each side can do.
    Supported(Vec<String>),
    /// `qC`: which thread is selected.
    CurrentThread,
    /// `qfThreadInfo` asks for the first threads, `qsThreadInfo` for more.
    Threads {
        /// The list begins anew.
        first: bool,
    },
    /// `qThreadExtraInfo`: a word about a thread.
    ThreadExtra(ThreadId),
    /// `qAttached`: whether a process was there before.
    Attached(Option<i32>),
    /// `qSymbol`: gdb offers to look up symbols, or says where the one is that it was asked for, if anywhere.
    Symbol(Option<(String, Option<u64>)>),
    /// `qGetTLSAddr`: where a thread has a variable of its own.
    ThreadLocal {
        /// Whose.
        thread: ThreadId,
        /// Where it is among those of its library.
        offset: u64,
        /// The library's link map; 0 for a static program.
        link_map: u64,
    },
    /// `qRcmd`: `monitor` of a user.
    Command(String),
    /// `qSearch:memory`
    Search(Range, Vec<u8>),
    /// `qCRC`
    Checksum(Range),
    /// `qXfer:OBJECT:read`
    Transfer(Transfer),
    /// `qXfer:siginfo:write`
    WriteSignalInfo(u64, Vec<u8>),
    /// `qHostInfo`, of lldb: the machine.
    Host,
    /// `qProcessInfo`, of lldb: the selected process.
    Process,
    /// `qMemoryRegionInfo`, of lldb: what an address belongs to.
    MemoryRegion(u64),
}

/// Reading some of an object (gdb manual, "General Query Packets": `qXfer`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The kind of object.
    pub object: String,
    /// Which one.
    pub annex: String,
    /// Where to begin.
    pub offset: u64,
    /// The most bytes to send.
    pub len: u64,
}

impl Query {
    /// Reads what is behind the `q`.
    ///
    /// # Errors
    /// [`Reject`].
    pub fn parse(text: &[u8]) -> Result<Query, Reject> {
        let name = text.split(|byte| matches!(byte, b':' | b',' | b';')).next();
        let name = name.unwrap_or_default();
        let args = text.get(name.len() + 1..).unwrap_or_default();
        Ok(match name {
            b"Supported" => Query::Supported(features(args)),
            b"C" => Query::CurrentThread,
            b"fThreadInfo" => Query::Threads { first: true },
            b"sThreadInfo" => Query::Threads { first: false },
            b"ThreadExtraInfo" => Query::ThreadExtra(need(ThreadId::parse(args))?),
            b"Attached" if args.is_empty() => Query::Attached(None),
            b"Attached" => Query::Attached(Some(need(hex::signed(args))?)),
            b"Symbol" => Query::Symbol(need(symbol(args))?),
            b"GetTLSAddr" => need(thread_local(args))?,
            b"Rcmd" => Query::Command(need(hex::decode_text(args))?),
            b"Search" => need(search(args))?,
            b"CRC" => Query::Checksum(need(Range::parse(args))?),
            b"Xfer" => transfer(args)?,
            b"HostInfo" => Query::Host,
            b"ProcessInfo" => Query::Process,
            b"MemoryRegionInfo" => Query::MemoryRegion(need(hex::number(args))?),
            _ => return Err(Reject::Unsupported),
        })
    }
}

/// `:` is the offer, `VALUE:NAME` or `:NAME` an answer.
fn symbol(args: &[u8]) -> Option<Option<(String, Option<u64>)>> {
    let (value, name) = Words::new(args).pair(b':')?;
    if name.is_empty() {
        return value.is_empty().then_some(None);
    }
    let addr = match value {
        b"" => None,
        value => Some(hex::number(value)?),
    };
    Some(Some((hex::decode_text(name)?, addr)))
}

/// `THREAD,OFFSET,LINK-MAP`
fn thread_local(args: &[u8]) -> Option<Query> {
    let mut words = Words::new(args);
    Some(Query::ThreadLocal {
        thread: ThreadId::parse(words.before(b',')?)?,
        offset: hex::number(words.before(b',')?)?,
        link_map: hex::number(words.rest())?,
    })
}

fn features(text: &[u8]) -> Vec<String> {
    let features = text.split(|byte| *byte == b';');
    let features = features.filter(|feature| !feature.is_empty());
    features
        .map(|feature| String::from_utf8_lossy(feature).into_owned())
        .collect()
}

/// `memory:ADDR;LENGTH;PATTERN`
fn search(args: &[u8]) -> Option<Query> {
    let mut words = Words::new(args.strip_prefix(b"memory:")?);
    let addr = hex::number(words.before(b';')?)?;
    let len = hex::number(words.before(b';')?)?;
    Some(Query::Search(Range { addr, len }, words.rest().to_vec()))
}

/// `OBJECT:read:ANNEX:OFFSET,LENGTH`, or `OBJECT:write:ANNEX:OFFSET:BYTES`
fn transfer(args: &[u8]) -> Result<Query, Reject> {
    let mut words = Words::new(args);
    let object = need(words.before(b':'))?;
    let verb = need(words.before(b':'))?;
    // The annex is text that may have colons in it, but what follows has none in a read.
    if verb == b"write" {
        if object != b"siginfo" {
            return Err(Reject::Unsupported);
        }
        need(words.before(b':'))?;
        let offset = need(words.before(b':').and_then(hex::number))?;
        return Ok(Query::WriteSignalInfo(offset, words.rest().to_vec()));
    }
    if verb != b"read" {
        return Err(Reject::Unsupported);
    }
    let rest = words.rest();
    let colon = need(rest.iter().rposition(|byte| *byte == b':'))?;
    let range = need(Range::parse(&rest[colon + 1..]))?;
    let text = |bytes: &[u8]| need(String::from_utf8(bytes.to_vec()).ok());
    Ok(Query::Transfer(Transfer {
        object: text(object)?,
        annex: text(&rest[..colon])?,
        offset: range.addr,
        len: range.len,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfers() {
        let read = Query::parse(b"Xfer:features:read:target.xml:0,ffb").unwrap();
        assert_eq!(
            read,
            Query::Transfer(Transfer {
                object: "features".into(),
                annex: "target.xml".into(),
                offset: 0,
                len: 0xffb
            })
        );
        assert_eq!(
            Query::parse(b"Xfer:siginfo:write::10:a:b"),
            Ok(Query::WriteSignalInfo(16, b"a:b".to_vec()))
        );
        assert_eq!(
            Query::parse(b"Xfer:auxv:write::10:a"),
            Err(Reject::Unsupported)
        );
        assert_eq!(Query::parse(b"Xfer:auxv"), Err(Reject::Malformed));
    }

    #[test]
    fn questions() {
        assert_eq!(
            Query::parse(b"Supported:multiprocess+;swbreak+"),
            Ok(Query::Supported(vec![
                "multiprocess+".into(),
                "swbreak+".into()
            ]))
        );
        assert_eq!(Query::parse(b"Supported"), Ok(Query::Supported(vec![])));
        let answer = |addr| Ok(Query::Symbol(Some(("main".into(), addr))));
        assert_eq!(Query::parse(b"Symbol::"), Ok(Query::Symbol(None)));
        assert_eq!(Query::parse(b"Symbol:1f:6d61696e"), answer(Some(31)));
        assert_eq!(Query::parse(b"Symbol::6d61696e"), answer(None));
        assert_eq!(Query::parse(b"Symbol:1f:"), Err(Reject::Malformed));
        assert_eq!(
            Query::parse(b"GetTLSAddr:p1.2,8,0"),
            Ok(Query::ThreadLocal {
                thread: ThreadId::one(1, 2),
                offset: 8,
                link_map: 0
            })
        );
        assert_eq!(Query::parse(b"Attached:1f"), Ok(Query::Attached(Some(31))));
        assert_eq!(
            Query::parse(b"Rcmd,68656c70"),
            Ok(Query::Command("help".into()))
        );
        assert_eq!(
            Query::parse(b"Search:memory:10;20;;x"),
            Ok(Query::Search(Range { addr: 16, len: 32 }, b";x".to_vec()))
        );
    }
}
