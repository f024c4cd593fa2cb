/* classes - of which troubles the postmaster wants to hear: notify_classes */

#ifndef DELIVERY_CLASSES_H
#define DELIVERY_CLASSES_H

enum {
	NOTIFY_BOUNCE	= 1 << 0,	/* copies of notices to senders */
	NOTIFY_2BOUNCE	= 1 << 1,	/* notices that came back */
	NOTIFY_DATA	= 1 << 2,	/* sessions that ended after something wrong: in the data, ... */
	NOTIFY_DELAY	= 1 << 3,	/* copies of warnings to senders */
	NOTIFY_POLICY	= 1 << 4,	/* ...refused by a rule, ... */
	NOTIFY_PROTOCOL	= 1 << 5,	/* ...against the protocol, ... */
	NOTIFY_RESOURCE	= 1 << 6,	/* ...for want of room, ... */
	NOTIFY_SOFTWARE	= 1 << 7,	/* ...for an error in this mail system */
};

/* The bits of notify_classes. A word that is none of them is logged, once. */
unsigned int notify_classes(void);

#endif
