"""report - a notice, read as a program of the sender's would (RFC 3462, RFC 3464)"""
import email
import email.policy


class Report:
    """message: the whole; text: for people; about: fields of the message; recipients: fields of each; returned: what came back."""

    def __init__(self, message):
        self.message = message
        assert message.get_content_type() == "multipart/report", message.as_string()
        parts = message.get_payload()
        assert len(parts) == 3, message.as_string()
        self.parts = parts
        self.text = parts[0].get_payload(decode=True).decode(parts[0].get_content_charset())
        self.types = [part.get_content_type() for part in parts]
        self.about, *self.recipients = self.blocks(parts[1])
        self.returned = parts[2].as_bytes()

    def blocks(self, part):
        """The status part by its own rules: blocks of fields between empty lines."""
        text = part.as_bytes().split(b"\n\n", 1)[1].decode()
        return [email.message_from_string(block, policy=email.policy.compat32)
                for block in text.strip("\n").split("\n\n")]

    def one(self):
        assert len(self.recipients) == 1, self.parts[1].as_string()
        return self.recipients[0]
