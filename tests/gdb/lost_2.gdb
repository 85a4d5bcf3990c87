# The program that the dead gdb left behind is let go and comes to its end.
# program: waits
# oracle: none
python
import time
here, there = (str(gdb.convenience_variable(v).string()) for v in ("here", "there"))
open(here + "/go", "w").close()
gdb.execute("remote put %s/go %s/lost.go" % (here, there))
gdb.execute("disconnect")
time.sleep(1.5)
gdb.execute("connect")
def get():
    try:
        gdb.execute("remote get %s/lost.told %s/told" % (there, here), to_string=True)
        return open(here + "/told").read() == "done\n"
    except gdb.error:
        return False
for i in range(200):
    if get(): break
    time.sleep(0.02)
print("it came to its end", get())
gdb.execute("remote delete %s/lost.told" % there)
gdb.execute("remote delete %s/lost.go" % there)
end
