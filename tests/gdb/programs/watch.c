/* Data to watch. */
int one;
int two = 2;
long three;
char four[8];
int five;
int unaligned[4];
volatile int sink;

void touch(void)
{
	one = 1;
	sink = two;
	three = 3;
	sink = (int)three;
	four[3] = 'x';
	five = 5;
}

int local(int n)
{
	int here = n;
	here += 1;
	here *= 2;
	return here;
}

int main(void)
{
	touch();
	for (int i = 0; i < 4; i++)
		one += i;
	for (int i = 0; i < 4; i++)
		unaligned[i] = i + 1;
	sink = local(4);
	one = 100;
	return 0;
}
