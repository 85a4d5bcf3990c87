# What /proc tells of the program, read by way of the server.
# program: basics
break main
run one
info proc cmdline
info proc cwd
info proc exe
python
def lines(command): return gdb.execute(command, to_string=True).splitlines()
maps = [line.split() for line in lines("info proc mappings")]
maps = [line for line in maps if line and line[0].startswith("0x")]
program = [line for line in maps if line[-1].endswith("basics")]
main = int(gdb.parse_and_eval("(long)&main"))
print("the program is mapped", len(program) > 2)
print("main is in it", any(int(m[0], 16) <= main < int(m[1], 16) for m in program))
print("a stack is mapped", any(line[-1] == "[stack]" for line in maps))
status = dict(line.split(":", 1) for line in lines("info proc status") if ":" in line)
print(status["Name"].strip(), status["Threads"].strip(), status["TracerPid"].strip() != "0")
auxv = {line.split()[1]: line.split()[-1] for line in lines("info auxv")}
print(auxv["AT_PAGESZ"], auxv["AT_PHENT"], auxv["AT_EXECFN"].endswith('basics"'))
print("entry", int(auxv["AT_ENTRY"], 16) == int(gdb.parse_and_eval("(long)&_start")))
end
kill
