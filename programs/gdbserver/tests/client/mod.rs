//! A debugger that speaks by its standard streams.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What gdb says that it knows.
const FEATURES: &str =
    "multiprocess+;swbreak+;hwbreak+;fork-events+;vfork-events+;exec-events+;no-resumed+";

/// A debugger with a server of its own.
pub struct Client {
    server: Child,
    to: Option<ChildStdin>,
    from: ChildStdout,
}

/// A stop reply, as far as tests look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// By a signal, with no further reason.
    Signal(u8),
    /// At a system call: which end, which call.
    Call(&'static str, u64),
    /// The process has ended.
    Exited(u8),
    /// Anything else.
    Other(String),
}

impl Client {
    /// A server for a program, with everything that gdb wants.
    pub fn start(program: &[&str]) -> Client {
        Client::start_with(program, FEATURES)
    }

    /// The same for a debugger with other features.
    pub fn start_with(program: &[&str], features: &str) -> Client {
        let mut client = Client::start_acknowledging(program);
        client.send_raw(b"$QStartNoAckMode#b0");
        assert_eq!(client.read_byte(), b'+');
        assert_eq!(client.read_packet(), "OK");
        let supported = client.ask(&format!("qSupported:{features}"));
        assert!(supported.contains("QStartNoAckMode+"), "{supported}");
        client
    }

    /// A server for a program that nobody has talked to.
    pub fn start_acknowledging(program: &[&str]) -> Client {
        Client::start_held(program, "5")
    }

    /// The same, with the time for which a lost debugger is waited for.
    pub fn start_held(program: &[&str], hold: &str) -> Client {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gdbserver"));
        command.args(["--hold", hold, "-"]).args(program);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = command.spawn().unwrap();
        let (to, from) = (server.stdin.take(), server.stdout.take().unwrap());
        Client { server, to, from }
    }

    /// Sends bytes.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.to.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Sends a packet.
    pub fn send(&mut self, payload: &str) {
        self.send_bytes(payload.as_bytes());
    }

    fn send_bytes(&mut self, payload: &[u8]) {
        let sum = payload
            .iter()
            .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        let framed = [b"$", payload, format!("#{sum:02x}").as_bytes()].concat();
        self.send_raw(&framed);
    }

    /// Reads one byte.
    pub fn read_byte(&mut self) -> u8 {
        let mut byte = [0];
        self.from.read_exact(&mut byte).unwrap();
        byte[0]
    }

    /// Reads a packet, past whatever notifications come before.
    pub fn read_packet(&mut self) -> String {
        String::from_utf8_lossy(&self.read_until(b'$')).into_owned()
    }

    /// Reads a notification.
    pub fn read_notification(&mut self) -> String {
        String::from_utf8_lossy(&self.read_until(b'%')).into_owned()
    }

    fn read_until(&mut self, start: u8) -> Vec<u8> {
        while self.read_byte() != start {}
        let mut bytes = Vec::new();
        loop {
            match self.read_byte() {
                b'#' => break,
                b'*' => {
                    let count = self.read_byte() - 29;
                    let last = *bytes.last().unwrap();
                    bytes.extend(std::iter::repeat_n(last, count.into()));
                }
                byte => bytes.push(byte),
            }
        }
        self.read_byte();
        self.read_byte();
        bytes
    }

    /// Sends a packet and reads the answer.
    pub fn ask(&mut self, payload: &str) -> String {
        self.send(payload);
        self.read_packet()
    }

    /// The same for any bytes.
    pub fn ask_bytes(&mut self, payload: &[u8]) -> Vec<u8> {
        self.send_bytes(payload);
        self.read_until(b'$')
    }

    /// Sends a packet and reads what stops the program then.
    pub fn resume(&mut self, payload: &str) -> Stop {
        self.send(payload);
        self.read_stop()
    }

    /// Reads a stop reply.
    pub fn read_stop(&mut self) -> Stop {
        let reply = self.read_packet();
        let number = |text: &str| u8::from_str_radix(text, 16).unwrap();
        if let Some(code) = reply.strip_prefix('W') {
            return Stop::Exited(number(&code[..2]));
        }
        for end in ["syscall_entry", "syscall_return"] {
            if let Some((_, rest)) = reply.split_once(&format!("{end}:")) {
                let call = rest.split(';').next().unwrap();
                return Stop::Call(end, u64::from_str_radix(call, 16).unwrap());
            }
        }
        match reply.strip_prefix('T') {
            // The first pair is a register's.
            Some(rest) if rest[2..].starts_with("06:") => Stop::Signal(number(&rest[..2])),
            _ => Stop::Other(reply),
        }
    }

    /// The process that is selected.
    pub fn process(&mut self) -> u32 {
        let answer = self.ask("qC");
        let id = answer.strip_prefix("QCp").unwrap();
        u32::from_str_radix(id.split('.').next().unwrap(), 16).unwrap()
    }

    /// The instruction pointer.
    pub fn pc(&mut self) -> u64 {
        let digits = self.ask("p10");
        u64::from_str_radix(&digits, 16).unwrap().swap_bytes()
    }

    /// Goes, and waits for the server's end; its exit status.
    pub fn end(mut self) -> Option<i32> {
        self.to = None;
        self.server.wait().unwrap().code()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Both fail only if it is gone.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Packets of words that mean something, in random order, from a seed. None of them starts or stops anything, so each has one answer.
pub fn random_packets(seed: u64, count: usize) -> Vec<Vec<u8>> {
    const BEGINNINGS: &[&str] = &[
        "m",
        "M",
        "X",
        "G",
        "g",
        "p",
        "P",
        "Z0,",
        "Z2,",
        "z0,",
        "z4,",
        "Hg",
        "Hc",
        "T",
        "qC",
        "qXfer:",
        "qXfer:features:read:",
        "qXfer:libraries-svr4:read:",
        "qXfer:siginfo:read::",
        "qXfer:siginfo:write::",
        "qXfer:threads:read::",
        "qXfer:auxv:read::",
        "qSearch:memory:",
        "qCRC:",
        "qRcmd,",
        "qAttached:",
        "qMemoryRegionInfo:",
        "qThreadExtraInfo,",
        "QPassSignals:",
        "QCatchSyscalls:",
        "QProgramSignals:",
        "QEnvironmentHexEncoded:",
        "QSetWorkingDir:",
        "vFile:close:",
        "vFile:pread:",
        "vFile:fstat:",
        "vFile:readlink:",
        "vCont;q",
        "vNothing",
    ];
    const WORDS: &[&str] = &[
        "0",
        "1",
        "10",
        "ffffffffffffffff",
        "7fffffffe000",
        "401000",
        "p1.1",
        "-1",
        ",",
        ":",
        ";",
        "=",
        "target.xml",
        "start=",
        "prev=",
        "lmid=",
        "2f",
        "4040",
        "x",
        "\u{7f}",
        "e7",
        "20",
    ];
    // splitmix64
    let mut state = seed;
    let mut random = move |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    };
    let packet = |_| {
        let mut packet = BEGINNINGS[random(BEGINNINGS.len())].to_owned();
        for _ in 0..random(6) {
            packet += WORDS[random(WORDS.len())];
        }
        packet.into_bytes()
    };
    (0..count).map(packet).collect()
}
