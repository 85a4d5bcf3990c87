# The program is let go, runs on, is attached to while it runs, and let go again.
# program: waits
eval "set args %s/go %s/told", $there, $there
break turn
run
python
pid = gdb.selected_inferior().pid
end
print turns
detach
set logging file /dev/null
set logging redirect on
set logging enabled on
python gdb.execute("attach %d" % pid)
set logging enabled off
python
print("ran on", int(gdb.parse_and_eval("turns")) >= 0)
end
break turn
continue
continue
info breakpoints
delete
python
import time
here, there = (str(gdb.convenience_variable(v).string()) for v in ("here", "there"))
open(here + "/go", "w").close()
gdb.execute("remote put %s/go %s/go" % (here, there))
gdb.execute("detach")
def get():
    try:
        gdb.execute("remote get %s/told %s/told" % (there, here), to_string=True)
        return open(here + "/told").read() == "done\n"
    except gdb.error:
        return False
for i in range(200):
    if get(): break
    time.sleep(0.02)
print("it came to its end", get())
gdb.execute("remote delete %s/told" % there)
gdb.execute("remote delete %s/go" % there)
end
