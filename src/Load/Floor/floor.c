// What one thread pays the kernel for sending packets that are not made: no encryption, no server. It is told what to do on standard
// input: first how many addresses there are and their ports, in the order in which to visit them, then a line for each measurement:
// METHOD SECONDS PACKETS-A-SECOND (0: as fast as it goes).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define BURST 64

static struct sockaddr_in *peers;
static int *connected;
static int unconnected;
static long count;
static size_t length;
static char packet[2048];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

// All sockets share one port, as a server's do.
static int open_port(struct in_addr address, in_port_t port) {
    int one = 1, buffer = 4 * 1024 * 1024, fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = address, .sin_port = port};
    if (fd < 0) fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    if (bind(fd, (struct sockaddr *)&local, sizeof local) != 0) fail("bind");
    return fd;
}

static long send_to(long next, int n) {
    long failed = 0;
    for (int i = 0; i < n; i++) {
        long at = (next + i) % count;
        failed += sendto(unconnected, packet, length, MSG_DONTWAIT, (struct sockaddr *)&peers[at], sizeof *peers) < 0;
    }
    return failed;
}

static long send_connected(long next, int n) {
    long failed = 0;
    for (int i = 0; i < n; i++) failed += send(connected[(next + i) % count], packet, length, MSG_DONTWAIT) < 0;
    return failed;
}

static long send_mmsg(long next, int n) {
    static struct mmsghdr messages[BURST];
    struct iovec data = {packet, length};
    for (int i = 0; i < n; i++)
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &peers[(next + i) % count], .msg_namelen = sizeof *peers, .msg_iov = &data, .msg_iovlen = 1};
    int sent = sendmmsg(unconnected, messages, n, MSG_DONTWAIT);
    return n - (sent < 0 ? 0 : sent);
}

int main(int argc, char **argv) {
    struct in_addr address;
    struct sockaddr_in own;
    socklen_t own_length = sizeof own;
    struct rlimit files;
    char method[16];
    double seconds;
    long pace;
    if (argc != 3 || !inet_aton(argv[1], &address) || scanf("%ld", &count) != 1 || count < 1) return 2;
    length = strtoul(argv[2], NULL, 10);
    if (length > sizeof packet) return 2;
    memset(packet, 0xFF, sizeof packet);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    peers = calloc(count, sizeof *peers);
    connected = calloc(count, sizeof *connected);
    unconnected = open_port(address, 0);
    getsockname(unconnected, (struct sockaddr *)&own, &own_length);
    for (long i = 0; i < count; i++) {
        int port;
        if (scanf("%d", &port) != 1) return 2;
        peers[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port)};
        connected[i] = open_port(address, own.sin_port);
        if (connect(connected[i], (struct sockaddr *)&peers[i], sizeof *peers) != 0) fail("connect");
    }
    printf("port %d\n", ntohs(own.sin_port));
    fflush(stdout);

    while (scanf("%15s %lf %ld", method, &seconds, &pace) == 3) {
        long (*burst)(long, int) = !strcmp(method, "sendmmsg") ? send_mmsg : !strcmp(method, "send") ? send_connected : send_to;
        long sent = 0, failed = 0, cpu = 0, start = nanoseconds(CLOCK_MONOTONIC), end = start + seconds * 1e9, now = start;
        while (now < end) {
            long before = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
            for (int i = 0; i < 4; i++, sent += BURST) failed += burst(sent % count, BURST);
            cpu += nanoseconds(CLOCK_THREAD_CPUTIME_ID) - before;
            do now = nanoseconds(CLOCK_MONOTONIC); // without giving the core away: what waits is not counted
            while (pace > 0 && now < end && now - start < sent * 1e9 / pace);
        }
        printf("%ld %ld %ld %ld\n", sent, failed, cpu, now - start);
        fflush(stdout);
    }
    return 0;
}
