using Voice.Protocol.Links;
using Voice.Protocol.Voice;

namespace Voice.Signaling.VoiceServer;

/// <summary>Whether an Identify may have the session it asks for: what its token says, against what the gateway pushed.
/// The first rule that fails names the close code.</summary>
internal static class Admission
{
    /// <param name="token">Null: not ours, or over.</param>
    /// <param name="guild">The one that the token names; null if it is not here.</param>
    /// <param name="member">Who it is, unless refused.</param>
    public static VoiceCloseCode? Refusal(Identify identify, string nodeId, VoiceToken? token, ServedGuild? guild, out VoiceMember? member)
    {
        member = null;
        if (token is null || token.User != identify.UserId.Value) return VoiceCloseCode.AuthenticationFailed;
        if (token.NodeId != nodeId || token.Guild != identify.ServerId.Value) return VoiceCloseCode.ServerNotFound;
        if (token.SessionId != identify.SessionId || guild is null) return VoiceCloseCode.SessionNoLongerValid;
        if (token.Epoch != guild.Epoch) return VoiceCloseCode.ServerNotFound;
        if (identify.ChannelId is { } channel && channel.Value != token.Channel) return VoiceCloseCode.SessionNoLongerValid;
        member = guild.Member(token.User);
        return member is null || member.SessionId != token.SessionId || member.Channel != token.Channel ? VoiceCloseCode.SessionNoLongerValid : null;
    }
}
