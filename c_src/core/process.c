/* SPDX-License-Identifier: Apache-2.0 */
#include "core/process.h"

#include <string.h>

#include <gen_cluster/error.h>

enum {
    NUMBER_BITS = 28,
    NUMBER_MASK = (1 << NUMBER_BITS) - 1,
    ID_BITS = 15,
    ID_MASK = (1 << ID_BITS) - 1,
    FIRST_CAPACITY = 64,
};

void gcl_processes_init(struct gcl_processes *processes, const gcl_allocator *mem, uint32_t limit)
{
    memset(processes, 0, sizeof *processes);
    processes->mem = mem;
    processes->limit = limit;
    processes->next = 1; /* 0 would print as the pid of BEAM's init */
}

void gcl_processes_fini(struct gcl_processes *processes)
{
    gcl_free(processes->mem, processes->slots);
    gcl_processes_init(processes, processes->mem, processes->limit);
}

static struct gcl_core_process **slot_of(const struct gcl_processes *processes, uint32_t number)
{
    return &processes->slots[number & (processes->capacity - 1)];
}

/* Twice as many slots as processes, so that a free number is found after two tries on average. */
static int make_room(struct gcl_processes *processes)
{
    if (processes->count < processes->capacity / 2)
        return 0;
    uint32_t old_capacity = processes->capacity;
    struct gcl_core_process **old = processes->slots;
    uint32_t capacity = old_capacity > 0 ? old_capacity * 2 : FIRST_CAPACITY;
    void *slots = gcl_alloc_array(processes->mem, capacity, sizeof(void *));
    if (slots == NULL)
        return GCL_ENOMEM;
    processes->slots = slots;
    processes->capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++)
        if (old[i] != NULL)
            *slot_of(processes, old[i]->number) = old[i];
    gcl_free(processes->mem, old);
    return 0;
}

int gcl_processes_add(struct gcl_processes *processes, struct gcl_core_process *process)
{
    if (processes->count >= processes->limit)
        return GCL_ELIMIT;
    int error = make_room(processes);
    if (error != 0)
        return error;
    while (processes->next == 0 || *slot_of(processes, processes->next) != NULL)
        processes->next = (processes->next + 1) & NUMBER_MASK;
    memset(process, 0, sizeof *process);
    process->number = processes->next;
    gcl_list_init(&process->links);
    gcl_list_init(&process->far_links);
    gcl_list_init(&process->watchers);
    gcl_list_init(&process->watching);
    gcl_list_init(&process->aliases);
    gcl_list_init(&process->work);
    *slot_of(processes, process->number) = process;
    processes->next = (processes->next + 1) & NUMBER_MASK;
    processes->count++;
    return 0;
}

void gcl_processes_remove(struct gcl_processes *processes, struct gcl_core_process *process)
{
    *slot_of(processes, process->number) = NULL;
    processes->count--;
}

struct gcl_core_process *gcl_processes_find(const struct gcl_processes *processes, uint32_t id,
                                            uint32_t serial)
{
    if (processes->capacity == 0 || id > ID_MASK || serial > NUMBER_MASK >> ID_BITS)
        return NULL;
    uint32_t number = serial << ID_BITS | id;
    struct gcl_core_process *process = *slot_of(processes, number);
    return process != NULL && process->number == number ? process : NULL;
}

struct gcl_core_process *gcl_processes_each(const struct gcl_processes *processes, uint32_t *slot)
{
    while (*slot < processes->capacity) {
        struct gcl_core_process *process = processes->slots[(*slot)++];
        if (process != NULL)
            return process;
    }
    return NULL;
}
