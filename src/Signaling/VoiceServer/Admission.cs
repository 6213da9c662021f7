using Voice.Protocol;
using Voice.Protocol.Links;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>Whether an Identify or Resume may have the session it asks for: what its token says, against what the gateway
/// pushed. The rules, in order; the first that fails names the close code.</summary>
internal static class Admission
{
    public static VoiceCloseCode? Refusal(VoiceToken? token, string nodeId, Snowflake server, Snowflake? user, string sessionId)
    {
        if (token is null || token.Guild != server.Value) return VoiceCloseCode.AuthenticationFailed;
        if (user is { } claimed && token.User != claimed.Value) return VoiceCloseCode.AuthenticationFailed;
        if (token.NodeId != nodeId) return VoiceCloseCode.ServerNotFound;
        return token.SessionId == sessionId ? null : VoiceCloseCode.SessionNoLongerValid;
    }

    public static VoiceCloseCode? Refusal(VoiceToken token, ServedGuild? guild, Snowflake? channel, out VoiceMember? member)
    {
        member = guild?.Member(token.User);
        if (guild is null) return VoiceCloseCode.SessionNoLongerValid;
        if (guild.Epoch != token.Epoch) return VoiceCloseCode.ServerNotFound;
        if (channel is { } claimed && claimed.Value != token.Channel) return VoiceCloseCode.SessionNoLongerValid;
        return member is null || member.SessionId != token.SessionId || member.Channel != token.Channel
            ? VoiceCloseCode.SessionNoLongerValid
            : null;
    }
}
