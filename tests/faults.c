/* Stands between a program and the C library: makes the disk fail where a test wants it to, and sets the clock.
 *
 * fault_arm(call, after) lets the calls of that name on files of the memory fail with EIO once `after` of them have
 * gone well; fault_arm("", 0) mends the disk. FAULT_CLOCK names a file with a number of seconds, as the eight bytes of
 * a long, by which the clock is wrong.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char armed[16];
static long left;
static long hit;
static const volatile long *wrong_by;

void fault_arm(const char *call, long after) {
    strncpy(armed, call, sizeof armed - 1);
    left = after;
    hit = 0;
}

long fault_hits(void) { return hit; }

static int is_ours(int file) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/memory.db") != NULL;
}

static int fails(const char *call, int file) {
    if (strcmp(armed, call) || !is_ours(file)) return 0;
    if (left-- > 0) return 0;
    hit++;
    errno = EIO;
    return 1;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int fsync(int file) { REAL(fsync); return fails("fsync", file) ? -1 : real(file); }
int fdatasync(int file) { REAL(fdatasync); return fails("fsync", file) ? -1 : real(file); }
int ftruncate(int file, off_t size) { REAL(ftruncate); return fails("truncate", file) ? -1 : real(file, size); }
int ftruncate64(int file, off64_t size) { REAL(ftruncate64); return fails("truncate", file) ? -1 : real(file, size); }
ssize_t write(int file, const void *data, size_t size) {
    REAL(write);
    return fails("write", file) ? -1 : real(file, data, size);
}
ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    return fails("write", file) ? -1 : real(file, data, size, at);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    return fails("write", file) ? -1 : real(file, data, size, at);
}
ssize_t pread(int file, void *data, size_t size, off_t at) {
    REAL(pread);
    return fails("read", file) ? -1 : real(file, data, size, at);
}
ssize_t pread64(int file, void *data, size_t size, off64_t at) {
    REAL(pread64);
    return fails("read", file) ? -1 : real(file, data, size, at);
}

static long wrong(void) {
    static int has_looked;
    if (!has_looked) {
        has_looked = 1;
        const char *path = getenv("FAULT_CLOCK");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (file >= 0) {
            void *found = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
            if (found != MAP_FAILED) wrong_by = found;
            close(file);
        }
    }
    return wrong_by ? *wrong_by : 0;
}

int clock_gettime(clockid_t clock, struct timespec *found) {
    REAL(clock_gettime);
    int code = real(clock, found);
    if (!code && clock == CLOCK_REALTIME) found->tv_sec += wrong();
    return code;
}
int gettimeofday(struct timeval *found, void *zone) {
    REAL(gettimeofday);
    int code = real(found, zone);
    if (!code) found->tv_sec += wrong();
    return code;
}
time_t time(time_t *found) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found) *found = now.tv_sec;
    return now.tv_sec;
}
