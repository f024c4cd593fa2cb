/* internal - what the files of lib/ipc share */

#ifndef IPC_INTERNAL_H
#define IPC_INTERNAL_H

#define IPC_HEADER_SIZE	16		/* kind and request number */

#endif
